import type { DeltaTable } from "../lake/delta-table.ts";
import type { Clock, LakeQuery, Warehouse } from "../ports.ts";
import { silverLakeTable } from "../silver/tables.ts";
import type { PublishingPlan, WindowBatch } from "./plan-publishing.ts";
import { publishCustomers } from "./publish-customers.ts";
import { publishWindows, type PublishSummary } from "./publish-windows.ts";

/** What publishing works with; `sql` holds the texts of the lake SQL in `sql/gold/`. */
export interface Publishing {
  silver: DeltaTable;
  lake: LakeQuery;
  warehouse: Warehouse;
  sql: GoldSql;
}

/** Texts of the lake SQL in `sql/gold/`. */
export type GoldSql = Parameters<typeof publishWindows>[0]["sql"] & Parameters<typeof publishCustomers>[0]["sql"];

/** Publishes one batch of the plan from the plan's version of silver. */
export async function publishBatch(
  { silver, ...gold }: Publishing,
  { silverVersion, windows }: WindowBatch,
): Promise<PublishSummary> {
  const table = silverLakeTable(await silver.snapshot(silverVersion), windows);
  return await publishWindows(gold, { table, windows, silverVersion });
}

/** Publishes the rows per customer of the plan's days, and notes when. */
export async function publishPlannedCustomers(
  { silver, clock, ...gold }: Publishing & { clock: Clock },
  { silverVersion, customerBatches }: PublishingPlan,
): Promise<PublishSummary> {
  const windows = customerBatches.flat();
  const table = silverLakeTable(await silver.snapshot(silverVersion), windows);
  const published = await publishCustomers(gold, { table, windows, silverVersion });
  await gold.warehouse.query("select ops.note_customers_published($1::timestamptz)::text", [
    new Date(clock()).toISOString(),
  ]);
  return published;
}
