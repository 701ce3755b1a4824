import type { DeltaTable, Snapshot } from "../delta/table.ts";
import { readDayFacts, groupByMonth, readFacts, toJson } from "../gold/facts.ts";
import type { GoldSql } from "../gold/publish-windows.ts";
import type { LakeQuery, LakeTable, Warehouse } from "../ports.ts";
import type { SilverDifferences } from "./compare-silver.ts";
import type { Cause, Difference } from "./report.ts";

/** The engines and SQL that the comparison of gold uses. */
export interface GoldContext {
  lake: LakeQuery;
  warehouse: Warehouse;
  sql: GoldSql;
}

/** A gold cell that differs from what the rebuilt facts add up to. */
export interface GoldCell {
  table_name: string;
  /** The day of its row, or the first day of its month; null for a row by customer. */
  day: string | null;
  key: string;
  column_name: string;
  published: string | null;
  rebuilt: string | null;
}

interface GoldDifferences {
  cells: GoldCell[];
  /** Days whose facts differ. */
  days: string[];
}

/** Returns some days of silver as a lake table. */
export type TableOf = (days: readonly string[]) => LakeTable;

/** Maximum rows per result: the RDS Data API returns at most 1 MiB. */
const mostCells = 2000;

/**
 * Compares the facts of these days, recomputed from the lake, with those in the warehouse, and gold with what the facts
 * add up to. `counted` are the days whose rows by customer are shown at the same silver version as the day.
 */
export async function compareRebuiltGold(
  context: GoldContext,
  { table, days, counted }: { table: TableOf; days: readonly string[]; counted: ReadonlySet<string> },
): Promise<GoldDifferences> {
  const facts: GoldCell[] = [];
  for (const windows of groupByMonth(days)) {
    for (const document of await documentsOf(context, { table, windows, counted })) {
      facts.push(...(await factCells(context.warehouse, document)));
    }
  }
  const windows = [...new Set(facts.map(({ day }) => day!))].toSorted();
  const cells = await context.warehouse.query<GoldCell>(
    "select table_name, day, key, column_name, published, rebuilt from ops.rebuild_differences($1::jsonb, $2::integer)",
    [toJson(await wholeDocument(context, { table, windows, counted })), mostCells],
  );
  // Without differing gold cells, only the facts were changed, and gold still shows the old ones. Facts that are in gold
  // are not among the tables computed from facts.
  const star = facts.filter(({ table_name: name }) => name.startsWith("gold."));
  return { cells: cells.length > 0 ? [...cells, ...star] : facts, days: windows };
}

interface DocumentRequest {
  table: TableOf;
  windows: readonly string[];
  counted: ReadonlySet<string>;
}

async function documentsOf(context: GoldContext, request: DocumentRequest): Promise<Record<string, unknown>[]> {
  const { customer_windows: counted, customer_days: customers, ...days } = await wholeDocument(context, request);
  return [days, ...(counted.length > 0 ? [{ windows: counted, customer_days: customers }] : [])];
}

async function wholeDocument({ lake, sql }: GoldContext, { table, windows, counted }: DocumentRequest) {
  const known = windows.filter((day) => counted.has(day));
  const facts = windows.length === 0 ? {} : await readDayFacts(lake, { sql, table: table(windows), windows });
  const customers =
    known.length === 0 ? [] : await readFacts(lake, { sql: sql.customerDays, table: table(known), windows: known });
  return { windows, ...facts, customer_windows: known, customer_days: customers };
}

async function factCells(warehouse: Warehouse, document: Record<string, unknown>): Promise<GoldCell[]> {
  const offenders = await warehouse.query<{ table_name: string; example: string }>(
    "select table_name, example from ops.fact_offenders($1::jsonb) limit $2::integer",
    [toJson(document), mostCells],
  );
  return offenders.flatMap(({ table_name, example }) => cellsOf(table_name, example));
}

/**
 * Parses the example that the warehouse returns: a key with its day, and each differing cell as `x is actual for
 * expected`.
 */
function cellsOf(table_name: string, example: string): GoldCell[] {
  const [, key = "", text = ""] = /^(.*?): (.*)$/.exec(example) ?? [];
  const row = { table_name, day: /\d{4}-\d\d-\d\d/.exec(key)?.[0] ?? null, key: key.replaceAll(", ", " ") };
  if (text === "the row is missing") return [{ ...row, column_name: "*", published: null, rebuilt: "there" }];
  if (text === "the row should not be there") return [{ ...row, column_name: "*", published: "there", rebuilt: null }];
  const cells = [...text.matchAll(/(\w+) is (.*?) for (.*?)(?:, (?=\w+ is )|$)/g)];
  return cells.map(([, column_name, published, rebuilt]) => ({
    ...row,
    column_name: column_name!,
    published: published!,
    rebuilt: rebuilt!,
  }));
}

/** A day that gold shows. */
export interface LedgerDay {
  day: string;
  version: number;
  /** Whether its rows by customer show that version too. */
  hasCustomers: boolean;
}

/** Reads the days of a range that gold shows, in order. */
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

/** Returns the days that silver changed after gold published them: late orders that are not published yet. */
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

/** Assigns a cause to each gold cell: that of silver's difference in its day or month or, without one, its own. */
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
  // A day's change affects more: the rest of its month, the next month's growth, customers, and the next seven days.
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
