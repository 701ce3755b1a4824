import { LambdaClient } from "@aws-sdk/client-lambda";
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import type { DeltaTable } from "../lambdas/lake/delta-table.ts";
import type { ObjectStore, Warehouse } from "../lambdas/ports.ts";
import type { HomeStatus } from "../local/home-api.ts";
import { freshness, goldStatus, qualityStatus, rowsOf } from "../local/home-status.ts";
import type { Deployment } from "./deployment.ts";
import type { Executions } from "./executions.ts";
import { explained } from "./explain-error.ts";
import { landingProgress } from "./landing-progress.ts";
import { mappingState } from "./mapping-state.ts";

interface Parts {
  deployment: Deployment;
  kinesis: KinesisClient;
  store: ObjectStore;
  onFailure: ObjectStore;
  silver: DeltaTable;
  quarantine: DeltaTable;
  warehouse: Warehouse;
  executions: Executions;
}

/** Says how a deployed home is, from its layers themselves; a paused database wakes up for it. */
export async function remoteStatus(parts: Parts, lambda = new LambdaClient({})): Promise<HomeStatus> {
  const { deployment, kinesis, store, onFailure, warehouse, executions } = parts;
  const { environment, region, streamName, databaseHost, databasePort } = deployment;
  const landing = landingProgress({ client: kinesis, streamName, store, onFailure });
  const [progress, mapping, silver, quarantine, gold, fresh, quality, workflows] = await Promise.all([
    explained(landing, { what: `stream ${streamName}`, region }),
    mappingState(deployment, lambda),
    parts.silver.snapshot(),
    parts.quarantine.snapshot(),
    goldStatus(warehouse),
    freshness(warehouse),
    qualityStatus(warehouse),
    executions.newest(),
  ]);
  return {
    deployment: { environment, region, stream: streamName, landing: mapping },
    stream: progress.stream,
    landing: { onFailureRecords: progress.onFailureRecords },
    silver: {
      version: silver.version,
      files: silver.files.size,
      lines: rowsOf(silver),
      days: silver.partitions.size,
    },
    quarantine: { events: rowsOf(quarantine) },
    gold,
    freshness: fresh,
    quality,
    workflows,
    postgres: { host: databaseHost ?? "localhost", port: databasePort ?? 5432 },
  };
}
