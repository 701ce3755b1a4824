import type { DeltaTable } from "../delta/table.ts";
import type { Clock, Warehouse } from "../ports.ts";
import { readNote, type SentAt } from "../silver/commit-note.ts";
import type { PublishingPlan } from "./plan-windows.ts";

/** The latency of orders from the till to gold. */
export interface Freshness {
  orders: number;
  medianSeconds: number;
  p95Seconds: number;
}

/**
 * Ends a run: marks the days before the watermark as reported, and adds a row to `ops.freshness` for the commits that
 * this run made visible. Idempotent.
 */
export async function reportWindows(
  { silver, warehouse, clock }: { silver: DeltaTable; warehouse: Warehouse; clock: Clock },
  { silverVersion, watermark }: PublishingPlan,
): Promise<{ reported: number; freshness: Freshness | null }> {
  const freshness = await noteFreshness({ silver, warehouse, clock }, silverVersion);
  if (watermark === null) return { reported: 0, freshness };
  const [row] = await warehouse.query<{ reported: string }>("select ops.report_windows($1::date) as reported", [
    watermark,
  ]);
  return { reported: Number(row?.reported ?? 0), freshness };
}

async function noteFreshness(
  { silver, warehouse, clock }: { silver: DeltaTable; warehouse: Warehouse; clock: Clock },
  visible: number,
): Promise<Freshness | null> {
  const [row] = await warehouse.query<{ version: string }>(
    "select coalesce(max(silver_version), -1) as version from ops.freshness",
  );
  const before = Number(row!.version);
  if (visible <= before) return null;
  const { commits } = (await silver.changes(before, visible)) ?? { commits: [] };
  const sent = commits.map((commit) => readNote(commit).sentAt).filter((sentAt) => sentAt !== undefined);
  const now = clock();
  const freshness = freshnessOf(sent, now);
  if (freshness === null) return null;
  await warehouse.query(
    `insert into ops.freshness (published_at, silver_version, orders, median_seconds, p95_seconds)
     select $1::timestamptz, $2::bigint, $3::integer, $4::numeric, $5::numeric
     where not exists (select from ops.freshness where silver_version >= $2::bigint)`,
    [new Date(now).toISOString(), visible, freshness.orders, freshness.medianSeconds, freshness.p95Seconds],
  );
  return freshness;
}

/** Averages the commits' percentiles, weighted by their orders; null without orders. */
function freshnessOf(sent: readonly SentAt[], now: number): Freshness | null {
  const orders = sent.reduce((sum, part) => sum + part.orders, 0);
  if (orders === 0) return null;
  const mean = (key: "p50" | "p95") =>
    sent.reduce((sum, part) => sum + (part.orders / orders) * (now / 1000 - part[key] / 1_000_000), 0);
  return { orders, medianSeconds: mean("p50"), p95Seconds: mean("p95") };
}
