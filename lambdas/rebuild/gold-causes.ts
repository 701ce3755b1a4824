import type { DeltaTable, Snapshot } from "../lake/delta-table.ts";
import type { Warehouse } from "../ports.ts";
import type { GoldDifferences } from "./compare-gold.ts";
import type { SilverDifferences } from "./compare-silver.ts";
import type { Cause, Difference } from "./difference.ts";

/** A day that gold shows. */
export interface LedgerDay {
  day: string;
  version: number;
  /** Whether its rows per customer are of that version too. */
  hasCustomers: boolean;
}

/** The days of a range that gold shows, in order. */
export async function readLedger(
  warehouse: Warehouse,
  { from, to }: { from: string; to: string },
): Promise<LedgerDay[]> {
  const rows = await warehouse.query<{ day: string; version: string; has_customers: boolean | null }>(
    `select
         order_date::text as day,
         silver_version as version,
         customers_version >= silver_version as has_customers
     from ops.windows
     where order_date between $1::date and $2::date
     order by order_date`,
    [from, to],
  );
  return rows.map(({ day, version, has_customers: has }) => ({
    day,
    version: Number(version),
    hasCustomers: has === true,
  }));
}

/** Those of some days that silver changed after gold was published: their orders came late, and wait to be shown. */
export async function lateDays(
  silver: DeltaTable,
  { snapshot, ledger, days }: { snapshot: Snapshot; ledger: readonly LedgerDay[]; days: readonly string[] },
): Promise<Set<string>> {
  const shown = new Map(ledger.map(({ day, version }) => [day, version]));
  const late = new Set<string>();
  for (const day of days) {
    const version = shown.get(day) ?? -1;
    if (version >= snapshot.version) continue;
    const changes = await silver.changes(version, snapshot.version);
    if (changes === undefined || changes.partitions.has(day)) late.add(day);
  }
  return late;
}

/** Puts a cause to each cell of gold: that of silver's difference in its day or month, or where none is, its own. */
export function causesOf(
  { cells, days }: GoldDifferences,
  {
    silver,
    late,
    request: { from, to },
  }: { silver: SilverDifferences; late: ReadonlySet<string>; request: { from: string; to: string } },
): Difference[] {
  const causes = new Map<string, Cause>();
  for (const day of late) causes.set(day, "late");
  for (const { day, cause } of silver.differences) if (day !== null) causes.set(day, cause);
  // A day's change reaches further: the rest of its month, the next month's growth, customers, the seven days after.
  const [anywhere] = causes.values();
  const isInRange = (day: string | null) => day === null || (day >= `${from.slice(0, 7)}-01` && day <= to);
  return cells
    .filter(({ day }) => days.length > 0 || isInRange(day))
    .map(({ table_name: table, day, key, column_name: column, published, rebuilt }) => {
      const own = day === null ? undefined : (causes.get(day) ?? ofMonth(causes, day));
      return { table, day, key, column, published, rebuilt, cause: own ?? anywhere ?? "changed outside" };
    });
}

function ofMonth(causes: ReadonlyMap<string, Cause>, day: string): Cause | undefined {
  if (!day.endsWith("-01")) return undefined;
  return [...causes].find(([known]) => known.slice(0, 7) === day.slice(0, 7))?.[1];
}
