import type { KinesisClient } from "@aws-sdk/client-kinesis";
import { GetEventSourceMappingCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { DeltaTable } from "../../pipeline/delta/table.ts";
import type { ObjectStore, Warehouse } from "../../pipeline/ports.ts";
import { layerStatus } from "../layer-status.ts";
import type { PipelineStatus } from "../pipeline-api.ts";
import type { Deployment } from "./deployment.ts";
import type { Executions } from "./executions.ts";
import { explained } from "./explain-error.ts";
import { landingProgress } from "./landing-progress.ts";

interface DeployedStatusSources {
  deployment: Deployment;
  kinesis: KinesisClient;
  store: ObjectStore;
  onFailure: ObjectStore;
  silver: DeltaTable;
  quarantine: DeltaTable;
  warehouse: Warehouse;
  executions: Executions;
}

/** Status of a deployed pipeline, read from its layers; resumes a paused database. */
export async function deployedStatus(
  parts: DeployedStatusSources,
  lambda = new LambdaClient({}),
): Promise<PipelineStatus> {
  const { deployment, kinesis, store, onFailure, executions } = parts;
  const { environment, region, streamName, databaseHost, databasePort } = deployment;
  const landing = landingProgress({ client: kinesis, streamName, store, onFailure });
  const [progress, mapping, layers, workflows] = await Promise.all([
    explained(landing, { what: `stream ${streamName}`, region }),
    mappingState(deployment, lambda),
    layerStatus(parts),
    executions.newest(),
  ]);
  return {
    deployment: { environment, region, stream: streamName, landing: mapping },
    stream: progress.stream,
    landing: { onFailureRecords: progress.onFailureRecords },
    ...layers,
    workflows,
    postgres: { host: databaseHost ?? "localhost", port: databasePort ?? 5432 },
  };
}

/** State and last result of the landing function's event source mapping, such as `Enabled; OK`. */
export async function mappingState(
  { landingMappingId, region }: Pick<Deployment, "landingMappingId" | "region">,
  lambda: LambdaClient,
): Promise<string> {
  if (landingMappingId === undefined) return "no event source mapping";
  const call = lambda.send(new GetEventSourceMappingCommand({ UUID: landingMappingId }));
  const { State, LastProcessingResult } = await explained(call, {
    what: "the event source mapping of landing",
    region,
  });
  return [State, LastProcessingResult].filter(Boolean).join("; ");
}
