import type { LakeQuery, LakeRow, LakeTable } from "../ports.ts";

/** The lake SQL that computes the facts of a day: texts of the files in `sql/gold/`. */
export interface WindowSql {
  dayFacts: string;
  dayCustomers: string;
}

/** The fact tables of a day and their columns, as in the schema `facts`. */
const columns = {
  day_totals: ["orders", "order_lines", "pizzas", "revenue_cents", "cost_cents"],
  day_hours: ["hour", "orders", "pizzas", "revenue_cents"],
  day_items: [
    "pizza_id",
    "pizza_type_id",
    "name",
    "category",
    "size",
    "orders",
    "type_orders",
    "category_orders",
    "size_orders",
    "pizzas",
    "revenue_cents",
    "cost_cents",
  ],
  day_stores: ["store_id", "channel", "city", "state", "orders", "pizzas", "revenue_cents", "cost_cents"],
} as const;

/** The facts of some days in a publish document: rows by table name, and the days whose orders are all history. */
export type DayFacts = Record<keyof typeof columns, LakeRow[]> & { history: string[] };

/** Computes the facts of these windows (dates `YYYY-MM-DD`) from the lake. */
export async function readDayFacts(
  lake: LakeQuery,
  { sql, table, windows }: { sql: WindowSql; table: LakeTable; windows: readonly string[] },
): Promise<DayFacts> {
  const [rows, counts] = await Promise.all(
    [sql.dayFacts, sql.dayCustomers].map((text) => readFacts(lake, { sql: text, table, windows })),
  );
  const customers = new Map(counts!.map((row) => [row["order_date"], row["customers"]!]));
  const byFact = Map.groupBy(rows!, (row) => row["fact"]);
  const rowsOf = (fact: keyof typeof columns) => (byFact.get(fact) ?? []).map((row) => pick(row, columns[fact]));
  return {
    day_totals: rowsOf("day_totals").map((row) => ({ ...row, customers: customers.get(row["order_date"]) ?? null })),
    day_hours: rowsOf("day_hours"),
    day_items: rowsOf("day_items"),
    day_stores: rowsOf("day_stores"),
    history: (byFact.get("day_totals") ?? [])
      .filter((row) => Number(row["is_live"]) === 0)
      .map((row) => String(row["order_date"])),
  };
}

function pick(row: LakeRow, names: readonly string[]): LakeRow {
  return Object.fromEntries(["order_date", ...names].map((name) => [name, row[name]!]));
}

/** Returns the rows of one lake SQL query for exactly these windows: at least one date `YYYY-MM-DD`. */
export async function readFacts(
  lake: LakeQuery,
  { sql, table, windows }: { sql: string; table: LakeTable; windows: readonly string[] },
): Promise<LakeRow[]> {
  const sorted = windows.toSorted();
  const wanted = new Set(windows);
  const rows = await lake.query(sql, [sorted[0]!, sorted.at(-1)!], [ofDays(table, wanted)]);
  return rows.filter((row) => wanted.has(String(row["order_date"])));
}

/**
 * Serializes a document for the publish functions; 64-bit integers become strings, which PostgreSQL casts to bigint.
 */
export function toJson(document: Record<string, unknown>): string {
  return JSON.stringify(document, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

/** Returns the table without the files of other days, because even a skipped file adds to a query's time. */
function ofDays(table: LakeTable, days: ReadonlySet<string>): LakeTable {
  const mark = `${table.partitionColumn}=`;
  const dayOf = (file: string) => file.split("/").find((part) => part.startsWith(mark));
  const files = table.files.filter((file) => {
    const day = dayOf(file);
    return day === undefined || days.has(day.slice(mark.length));
  });
  return { ...table, files };
}

/** Groups dates `YYYY-MM-DD` by month, in order and without duplicates. */
export function groupByMonth(dates: Iterable<string>): string[][] {
  return [...Map.groupBy([...new Set(dates)].toSorted(), (date) => date.slice(0, 7)).values()];
}
