import { openLineageEndpoint } from "../../adapters/lineage-endpoint.ts";
import { awsDatasetNames } from "../../pipeline/lineage/datasets.ts";
import { changeOf, type ExecutionStatusChange } from "../../pipeline/lineage/execution-change.ts";
import { recordLineage } from "../../pipeline/lineage/record-lineage.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openStore } from "../runtime/resources.ts";
import { jsonSetting, optionalSetting, setting } from "../runtime/settings.ts";

const open = lazy(async () => ({
  store: openStore(),
  endpoint: openEndpoint(),
  machines: jsonSetting("STATE_MACHINES"),
  pipeline: {
    environment: setting("ENVIRONMENT"),
    streamName: setting("STREAM_NAME"),
    lakeBucket: setting("LAKE_BUCKET"),
    backupBucket: setting("BACKUP_BUCKET"),
    warehouse: setting("LINEAGE_WAREHOUSE"),
  },
}));

/** Records execution status changes from EventBridge as OpenLineage events, and sends them to the endpoint. */
export const handler = createHandler(async (event: ExecutionStatusChange) => {
  const { store, endpoint, machines, pipeline } = await open();
  const change = changeOf(event, machines);
  if (change === undefined) return { recorded: false };
  const { account, region } = event;
  await recordLineage({ store, endpoint, names: awsDatasetNames({ ...pipeline, account, region }) }, change);
  const { workflow, state, runId } = change;
  return { recorded: true, workflow, state, runId };
});

function openEndpoint() {
  const url = optionalSetting("OPENLINEAGE_URL");
  return url === undefined ? undefined : openLineageEndpoint({ url });
}
