import type { LakeQuery, LakeRow, LakeTable, Warehouse } from "../ports.ts";
import { groupByMonth } from "./group-by-month.ts";
import { readFacts, toJson } from "./lake-facts.ts";
import { callPublish, type Again, type PublishSummary } from "./publish-windows.ts";

/** Text of the lake SQL that makes purchases per day and customer, from `sql/gold/`. */
export interface CustomerSql {
  customerDays: string;
}

/** A request to the RDS Data API may hold 4 MiB; a day is never split, so a single one may go beyond. */
const largestDocument = 3_500_000;
const bytesPerRow = 220;

/**
 * Publishes the rows per customer of days that gold already shows: purchases per day, distinct customers per month and
 * city, and the segments. Each call to the database holds as many days of a month as one request may carry.
 */
export async function publishCustomers(
  { lake, warehouse, sql, isAgain = false }: { lake: LakeQuery; warehouse: Warehouse; sql: CustomerSql } & Again,
  { table, windows, silverVersion }: { table: LakeTable; windows: string[]; silverVersion: number },
): Promise<PublishSummary> {
  const summary = { windows: windows.length, published: 0, skipped: 0, rowsChanged: 0, corrections: 0 };
  const months = groupByMonth(windows);
  const name = isAgain ? "ops.republish_customers" : "ops.publish_customers";
  const read = (month: string[] | undefined) =>
    month && readFacts(lake, { sql: sql.customerDays, table, windows: month });
  let next = read(months[0]);
  for (const [index, month] of months.entries()) {
    const rows = await next!;
    // The lake reads the next month while the warehouse takes this one.
    next = read(months[index + 1]);
    next?.catch(() => {});
    for (const { days, facts } of pack(month, rows)) {
      const document = toJson({ silver_version: silverVersion, windows: days, customer_days: facts });
      const part = await callPublish(warehouse, name, document);
      for (const key of ["published", "skipped", "rowsChanged", "corrections"] as const) summary[key] += part[key];
    }
  }
  // Also without a new day: a run that died between the two has left the segments behind.
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

/** Whole days in order, as many together as one document may hold. */
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
