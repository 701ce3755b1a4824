import type { DeltaTable, Snapshot } from "../pipeline/delta/table.ts";
import type { ObjectStore, Warehouse } from "../pipeline/ports.ts";
import { listSetAside } from "../pipeline/silver/set-aside.ts";
import type { PipelineStatus } from "./pipeline-api.ts";

/** The part of a status that comes from the layers themselves, the same on every target. */
export async function layerStatus(layers: {
  store: ObjectStore;
  silver: DeltaTable;
  quarantine: DeltaTable;
  warehouse: Warehouse;
}): Promise<Pick<PipelineStatus, "setAside" | "silver" | "quarantine" | "gold" | "freshness" | "quality">> {
  const { store, warehouse } = layers;
  const [silver, quarantine, gold, fresh, quality] = await Promise.all([
    layers.silver.snapshot(),
    layers.quarantine.snapshot(),
    goldStatus(warehouse),
    freshness(warehouse),
    qualityStatus(warehouse),
  ]);
  const { version, files, partitions } = silver;
  return {
    setAside: await listSetAside(store, silver),
    silver: { version, files: files.size, lines: rowsOf(silver), days: partitions.size },
    quarantine: { events: rowsOf(quarantine) },
    gold,
    freshness: fresh,
    quality,
  };
}

/** Rows in all data files of a version. */
function rowsOf({ files }: Snapshot): number {
  let rows = 0;
  for (const file of files.values()) rows += file.rows;
  return rows;
}

/** What gold shows, and since when. */
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

/** How long orders took from the till to gold; null before the first. */
async function freshness(warehouse: Warehouse): Promise<PipelineStatus["freshness"]> {
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

/** What the newest run of data_quality found; null before the first. */
async function qualityStatus(warehouse: Warehouse): Promise<PipelineStatus["quality"]> {
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
