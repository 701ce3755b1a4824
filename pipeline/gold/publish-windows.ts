import type { DeltaTable } from "../delta/table.ts";
import type { Clock, LakeQuery, LakeRow, LakeTable, Warehouse } from "../ports.ts";
import { silverLakeTable } from "../silver/tables.ts";
import { groupByMonth, readDayFacts, readFacts, toJson, type WindowSql } from "./facts.ts";
import type { PublishingPlan, WindowBatch } from "./plan-windows.ts";

/** An RDS Data API request may have 4 MiB; a day is never split, so a single large day may exceed this limit. */
const largestDocument = 3_500_000;
const bytesPerRow = 220;

/** What a publish did; a window is skipped if gold already shows it at this silver version or a newer one. */
export interface PublishSummary {
  windows: number;
  published: number;
  skipped: number;
  /** Gold rows that were written or removed. */
  rowsChanged: number;
  /** Values that changed after their days had been reported. */
  corrections: number;
}

/**
 * Publishes days to gold from one silver version, in one transaction. `table` has the files of these windows; a window
 * without sales is published as empty. Idempotent, and a late run after a newer one changes nothing.
 */
export async function publishDays(
  { lake, warehouse, sql, isAgain = false }: { lake: LakeQuery; warehouse: Warehouse; sql: WindowSql } & Again,
  { table, windows, silverVersion }: { table: LakeTable; windows: string[]; silverVersion: number },
): Promise<PublishSummary> {
  if (windows.length === 0) return { windows: 0, published: 0, skipped: 0, rowsChanged: 0, corrections: 0 };
  const facts = await readDayFacts(lake, { sql, table, windows });
  const document = toJson({ silver_version: silverVersion, windows, ...facts });
  return {
    windows: windows.length,
    ...(await callPublish(warehouse, isAgain ? "ops.republish_windows" : "ops.publish_windows", document)),
  };
}

/** Whether to publish days that gold already shows at this version: a rebuild repairs what was changed in gold. */
interface Again {
  isAgain?: boolean;
}

/** Calls a publish function of the database with its JSON document. */
export async function callPublish(
  warehouse: Warehouse,
  name: `ops.${"" | "re"}publish_${"windows" | "customers"}`,
  document: string,
): Promise<Omit<PublishSummary, "windows">> {
  const [row] = await warehouse.query<Record<string, number>>(
    `select published, skipped, rows_changed, corrections from ${name}($1::jsonb)`,
    [document],
  );
  const { published = 0, skipped = 0, rows_changed: rowsChanged = 0, corrections = 0 } = row ?? {};
  return { published, skipped, rowsChanged, corrections };
}

/** The lake SQL that computes purchases per day and customer: the text of a file in `sql/gold/`. */
export interface CustomerSql {
  customerDays: string;
}

/**
 * Publishes the rows by customer of days that gold already shows: purchases per day, distinct customers per month and
 * city, and the segments. Each call to the database carries as many days of a month as fit into one request. Once
 * `shouldStop` returns true it begins no further month, and `windows` counts the days before.
 */
export async function publishCustomerDays(
  { lake, warehouse, sql, isAgain = false }: { lake: LakeQuery; warehouse: Warehouse; sql: CustomerSql } & Again,
  {
    table,
    windows,
    silverVersion,
    shouldStop = () => false,
  }: { table: LakeTable; windows: string[]; silverVersion: number; shouldStop?: () => boolean },
): Promise<PublishSummary> {
  const summary = { windows: 0, published: 0, skipped: 0, rowsChanged: 0, corrections: 0 };
  const months = groupByMonth(windows);
  const name = isAgain ? "ops.republish_customers" : "ops.publish_customers";
  const read = (month: string[] | undefined) =>
    month && readFacts(lake, { sql: sql.customerDays, table, windows: month });
  let next = read(months[0]);
  for (const [index, month] of months.entries()) {
    const rows = await next!;
    // Read the next month from the lake while the warehouse writes this one.
    next = shouldStop() ? undefined : read(months[index + 1]);
    next?.catch(() => {});
    summary.windows += month.length;
    for (const { days, facts } of pack(month, rows)) {
      const document = toJson({ silver_version: silverVersion, windows: days, customer_days: facts });
      const part = await callPublish(warehouse, name, document);
      for (const key of ["published", "skipped", "rowsChanged", "corrections"] as const) summary[key] += part[key];
    }
    if (next === undefined) break;
  }
  // Even without a new day: a run that crashed before this step left the segments stale.
  summary.rowsChanged += await publishSegments(warehouse, silverVersion);
  return summary;
}

async function publishSegments(warehouse: Warehouse, silverVersion: number): Promise<number> {
  const [row] = await warehouse.query<{ changed: number }>(
    "select ops.publish_customer_segments($1::bigint) as changed",
    [silverVersion],
  );
  return row?.changed ?? 0;
}

/** Groups whole days, in order, into documents below the size limit. */
function pack(days: readonly string[], rows: readonly LakeRow[]): { days: string[]; facts: LakeRow[] }[] {
  const byDay = Map.groupBy(rows, (row) => String(row["order_date"]));
  const packs: { days: string[]; facts: LakeRow[] }[] = [];
  for (const day of days) {
    const facts = byDay.get(day) ?? [];
    const last = packs.at(-1);
    if (last && (last.facts.length + facts.length) * bytesPerRow <= largestDocument) {
      last.days.push(day);
      last.facts = last.facts.concat(facts);
    } else packs.push({ days: [day], facts });
  }
  return packs;
}

/** The tables and engines that publishing uses; `sql` has the texts of the files in `sql/gold/`. */
export interface Publishing {
  silver: DeltaTable;
  lake: LakeQuery;
  warehouse: Warehouse;
  sql: GoldSql;
}

/** The texts of the lake SQL files in `sql/gold/`. */
export type GoldSql = Parameters<typeof publishDays>[0]["sql"] & Parameters<typeof publishCustomerDays>[0]["sql"];

/** Publishes one batch of the plan from the plan's silver version. */
export async function publishWindows(
  { silver, ...gold }: Publishing,
  { silverVersion, windows }: WindowBatch,
): Promise<PublishSummary> {
  const table = silverLakeTable(await silver.snapshot(silverVersion), windows);
  return await publishDays(gold, { table, windows, silverVersion });
}

/**
 * Publishes the rows by customer of the plan's days, and records the time. From `until` on, in milliseconds since 1970,
 * it begins no further month and records nothing, so that the next run goes on at once.
 */
export async function publishCustomers(
  { silver, clock, ...gold }: Publishing & { clock: Clock },
  { silverVersion, customerBatches }: PublishingPlan,
  { until = Infinity }: { until?: number } = {},
): Promise<PublishSummary> {
  const windows = customerBatches.flat();
  const table = silverLakeTable(await silver.snapshot(silverVersion), windows);
  const shouldStop = () => clock() >= until;
  const published = await publishCustomerDays(gold, { table, windows, silverVersion, shouldStop });
  if (published.windows < windows.length) return published;
  await gold.warehouse.query("select ops.note_customers_published($1::timestamptz)::text", [
    new Date(clock()).toISOString(),
  ]);
  return published;
}
