import { openStepFunctions } from "../../adapters/step-functions.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { startWorkflow, type ScheduledStart } from "../../pipeline/workflows/start-workflow.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openLake, openOnFailure } from "../runtime/resources.ts";
import { jsonSetting } from "../runtime/settings.ts";

const open = lazy(async () => ({
  ...openLake(),
  onFailure: openOnFailure(),
  stream: orderStream,
  starter: openStepFunctions({ stateMachines: jsonSetting("STATE_MACHINES") }),
}));

/**
 * Zero values give both metrics a data point at every scheduled run. The silence alarms compare them with the incoming
 * records, and a stage that never worked would otherwise have no data to compare.
 */
const zeroMetrics = { LandedRecords: 0, PublishedWindows: 0 };

/** Starts a scheduled workflow, unless it has run on the same data within this hour. */
export const handler = createHandler(
  async (start: ScheduledStart) => await startWorkflow(await open(), start),
  () => zeroMetrics,
);
