import { groupByMonth } from "../gold/group-by-month.ts";
import { publishCustomers } from "../gold/publish-customers.ts";
import { publishWindows } from "../gold/publish-windows.ts";
import type { DeltaTable } from "../lake/delta-table.ts";
import { silverLakeTable } from "../silver/tables.ts";
import type { GoldPlace } from "./compare-gold.ts";

/** Publishes days of one version of silver, also where gold shows that version already; their customers where it did. */
export async function republishGold(
  gold: GoldPlace,
  {
    silver,
    version,
    days,
    counted,
  }: { silver: DeltaTable; version: number; days: readonly string[]; counted: ReadonlySet<string> },
): Promise<void> {
  const snapshot = await silver.snapshot(version);
  const table = (windows: readonly string[]) => silverLakeTable(snapshot, windows);
  const place = { ...gold, isAgain: true };
  for (const windows of groupByMonth(days)) {
    await publishWindows(place, { table: table(windows), windows, silverVersion: version });
  }
  const customers = days.filter((day) => counted.has(day));
  await publishCustomers(place, { table: table(customers), windows: customers, silverVersion: version });
}
