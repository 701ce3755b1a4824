import type { KinesisClient } from "@aws-sdk/client-kinesis";
import { GetEventSourceMappingCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { loadQuarantinedSql } from "../../adapters/project-files.ts";
import type { ObjectStore } from "../../pipeline/ports.ts";
import { createAnswers } from "../answers.ts";
import { createLayerStatus, type LayerSources } from "../layer-status.ts";
import { questionMs, type PipelineStatus, type StatusRequest } from "../pipeline-api.ts";
import type { Deployment } from "./deployment.ts";
import type { Executions } from "./executions.ts";
import { explained } from "./explain-error.ts";
import { landingProgress } from "./landing-progress.ts";

interface DeployedStatusSources extends Pick<LayerSources, "store" | "silver" | "quarantine" | "warehouse" | "lake"> {
  deployment: Deployment;
  kinesis: KinesisClient;
  onFailure: ObjectStore;
  executions: Executions;
}

/** Status of a deployed pipeline, read from its layers; resumes a paused database. */
export function createDeployedStatus(
  parts: DeployedStatusSources,
  lambda = new LambdaClient({}),
): (how: StatusRequest) => Promise<PipelineStatus> {
  const { deployment, kinesis, store, onFailure, executions } = parts;
  const { environment, region, streamName, databaseHost, databasePort, athenaWorkgroup } = deployment;
  const answers = createAnswers();
  const names = {
    store: `the bucket ${deployment.lakeBucket}`,
    warehouse: "the database",
    lake: athenaWorkgroup === undefined ? "DuckDB" : "Athena",
  };
  const layers = createLayerStatus({ ...parts, names, quarantinedSql: loadQuarantinedSql() });
  return async (how) => {
    const ask = answers.within(questionMs(how));
    const landing = async () =>
      await explained(landingProgress({ client: kinesis, streamName, store, onFailure }), {
        what: `stream ${streamName}`,
        region,
      });
    const [progress, mapping, layerStatus, workflows] = await Promise.all([
      ask(`stream ${streamName}`, "landing", landing),
      ask("Lambda", "the event source mapping", () => mappingState(deployment, lambda)),
      layers(ask, { isFrequent: how.isFrequent === true }),
      ask("Step Functions", "the executions", () => executions.newest()),
    ]);
    return {
      at: new Date().toISOString(),
      deployment: { environment, region, stream: streamName, landing: mapping ?? "unknown" },
      notAnswering: answers.notAnswering(),
      stream: progress?.stream ?? null,
      landing: progress === undefined ? null : { onFailureRecords: progress.onFailureRecords },
      ...layerStatus,
      workflows: workflows ?? [],
      postgres: { host: databaseHost ?? "localhost", port: databasePort ?? 5432 },
    };
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
