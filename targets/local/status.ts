import type { DeltaTable, Snapshot } from "../../pipeline/delta/table.ts";
import type { LakeQuery, Warehouse } from "../../pipeline/ports.ts";
import { workflowNames, type PipelineStatus } from "../pipeline-api.ts";
import type { DataDirectory } from "./data-directory.ts";
import type { EventSourceMapping } from "./event-source-mapping/mapping.ts";
import type { LocalPostgres } from "./postgres.ts";
import type { RunLedger } from "./run-ledger.ts";
import type { StreamLog } from "./stream/stream-log.ts";

interface Parts {
  folder: DataDirectory;
  stream: StreamLog;
  mapping: EventSourceMapping;
  silver: DeltaTable;
  quarantine: DeltaTable;
  lake: LakeQuery;
  warehouse: Warehouse;
  postgres: LocalPostgres;
  runs: RunLedger;
}

/** Status of the local pipeline: counters and newest runs. It checks nothing; that is the receipt's job. */
export function createPipelineStatus(parts: Parts): () => Promise<PipelineStatus> {
  return async () => {
    const [silver, quarantine] = await Promise.all([parts.silver.snapshot(), parts.quarantine.snapshot()]);
    const { invocations, errors, onFailureRecords } = parts.mapping.metrics();
    const { host, port } = parts.postgres.credentials;
    return {
      dir: parts.folder.root,
      stream: streamStatus(parts),
      landing: { invocations, errors, onFailureRecords },
      silver: {
        version: silver.version,
        files: silver.files.size,
        lines: rowsOf(silver),
        days: silver.partitions.size,
      },
      quarantine: { events: rowsOf(quarantine) },
      gold: await goldStatus(parts.warehouse),
      freshness: await freshness(parts.warehouse),
      quality: await qualityStatus(parts.warehouse),
      workflows: await parts.runs.recent([...workflowNames, "rebuild"]),
      postgres: { host, port },
      memory: { rssBytes: process.memoryUsage.rss() },
    };
  };
}

/** Number of rows in all data files of a version. */
export function rowsOf({ files }: Snapshot): number {
  let rows = 0;
  for (const file of files.values()) rows += file.rows;
  return rows;
}

function streamStatus({ stream, mapping }: Parts): PipelineStatus["stream"] {
  const shards = stream.shards();
  const total = (key: "records" | "bytes") => shards.reduce((sum, shard) => sum + shard[key], 0);
  const checkpoints = mapping.checkpoints();
  const waiting = shards.filter(
    ({ id, lastSequenceNumber }) => lastSequenceNumber !== undefined && checkpoints[id] !== lastSequenceNumber,
  ).length;
  return {
    shards: shards.filter(({ closed }) => !closed).length,
    records: total("records"),
    bytes: total("bytes"),
    shardsBehind: waiting,
  };
}

/** Gold's published days, silver version and corrections. */
export async function goldStatus(warehouse: Warehouse): Promise<PipelineStatus["gold"]> {
  const [row] = await warehouse.query<Record<string, string | null>>(
    `select
         coalesce(max(silver_version), -1) as silver_version,
         count(*) as windows,
         to_char(max(published_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as published_at,
         (select count(*) from ops.corrections) as corrections
     from ops.windows`,
  );
  return {
    silverVersion: Number(row!["silver_version"]),
    windows: Number(row!["windows"]),
    publishedAt: row!["published_at"] ?? null,
    corrections: Number(row!["corrections"]),
  };
}

/** Time from till to gold of the orders published in the last five minutes of activity; null before the first. */
export async function freshness(warehouse: Warehouse): Promise<PipelineStatus["freshness"]> {
  const [row] = await warehouse.query<Record<string, string | null>>(
    `select
         sum(orders) as orders,
         percentile_cont(0.5) within group (order by median_seconds) as median_seconds,
         max(p95_seconds) as p95_seconds
     from ops.freshness
     where published_at > (select max(published_at) from ops.freshness) - interval '5 minutes'`,
  );
  if (row?.["orders"] == null) return null;
  const round = (text: string | null | undefined) => Math.round(Number(text) * 100) / 100;
  return {
    orders: Number(row["orders"]),
    medianSeconds: round(row["median_seconds"]),
    p95Seconds: round(row["p95_seconds"]),
  };
}

/** Result of the newest data_quality run; null before the first. */
export async function qualityStatus(warehouse: Warehouse): Promise<PipelineStatus["quality"]> {
  const rows = await warehouse.query<{ checked_at: string; rule: string; severity: string; is_red: boolean }>(
    `select
         to_char(checked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as checked_at,
         rule,
         severity,
         is_red
     from ops.data_quality_results
     where checked_at = (select max(checked_at) from ops.data_quality_results)
     order by rule`,
  );
  if (rows.length === 0) return null;
  const red = (severity: string) =>
    rows.filter((row) => row.is_red && row.severity === severity).map(({ rule }) => rule);
  return {
    checkedAt: rows[0]!.checked_at,
    rules: rows.length,
    errors: red("error"),
    warnings: red("warning"),
  };
}
