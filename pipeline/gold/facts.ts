import type { LakeQuery, LakeRow, LakeTable } from "../ports.ts";

/** The queries in `sql/gold/` that compute the facts of a day; each takes the first and the last day. */
export const dayQueries = ["day-facts", "day-customers"] as const;

/** The texts of these files, by name. */
export type WindowSql = Readonly<Record<(typeof dayQueries)[number], string>>;

interface Fact {
  query: (typeof dayQueries)[number];
  /** The columns of the query's rows that the database reads, besides `order_date`. */
  columns: readonly string[];
  /** Whether the document has the rows column by column, which is faster for thousands of rows. */
  isColumnar?: boolean;
}

/**
 * The registry of the facts of a day, by name: the database has the same one in `definitions.facts`. If a query computes
 * several facts, the column `fact` of its rows names which one a row is of.
 */
const facts = {
  day_totals: { query: "day-facts", columns: ["orders", "order_lines", "pizzas", "revenue_cents", "cost_cents"] },
  day_items: {
    query: "day-facts",
    columns: [
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
  },
  day_stores: {
    query: "day-facts",
    columns: ["store_id", "channel", "city", "state", "orders", "pizzas", "revenue_cents", "cost_cents"],
  },
  sales_items: {
    query: "day-facts",
    columns: ["store_id", "channel", "pizza_id", "order_lines", "pizzas", "revenue_cents", "cost_cents"],
    isColumnar: true,
  },
  sales_hours: {
    query: "day-facts",
    columns: ["hour", "store_id", "channel", "orders", "order_lines", "pizzas", "revenue_cents", "cost_cents"],
    isColumnar: true,
  },
} as const satisfies Record<string, Fact>;

type FactName = keyof typeof facts;

/** The facts of some days in a publish document: rows by name, and the days whose orders are all history. */
export type DayFacts = Record<FactName, LakeRow[]> & { history: string[] };

/** Computes the facts of these windows (dates `YYYY-MM-DD`) from the lake. */
export async function readDayFacts(
  lake: LakeQuery,
  { sql, table, windows }: { sql: WindowSql; table: LakeTable; windows: readonly string[] },
): Promise<DayFacts> {
  const results = await Promise.all(
    dayQueries.map(async (name) => [name, await readFacts(lake, { sql: sql[name], table, windows })] as const),
  );
  const rows = new Map(results);
  const customers = new Map(rows.get("day-customers")!.map((row) => [row["order_date"], row["customers"]!]));
  const found = Object.fromEntries(
    Object.entries<Fact>(facts).map(([name, { query, columns }]) => [
      name,
      rows.get(query)!.flatMap((row) => ((row["fact"] ?? name) === name ? [pick(row, columns)] : [])),
    ]),
  ) as Record<FactName, LakeRow[]>;
  return {
    ...found,
    day_totals: found.day_totals.map((row) => ({ ...row, customers: customers.get(row["order_date"]) ?? null })),
    history: rows
      .get("day-facts")!
      .filter((row) => row["fact"] === "day_totals" && Number(row["is_live"]) === 0)
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
  const parts = Object.entries(document).map(([name, value]) => {
    const fact: Fact | undefined = Object.hasOwn(facts, name) ? facts[name as FactName] : undefined;
    return [name, fact?.isColumnar === true ? toColumns(value as LakeRow[], fact.columns) : value];
  });
  return JSON.stringify(Object.fromEntries(parts), (_, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}

/** Returns the columns of some rows, each as the text of a PostgreSQL array. */
function toColumns(rows: readonly LakeRow[], names: readonly string[]): Record<string, string> {
  const literal = (name: string) => `{${rows.map((row) => arrayElement(row[name])).join(",")}}`;
  return Object.fromEntries(["order_date", ...names].map((name) => [name, literal(name)]));
}

function arrayElement(value: LakeRow[string] | undefined): string {
  if (value === null || value === undefined) return "NULL";
  const text = String(value);
  return /^[\w.:-]+$/.test(text) && !/^null$/i.test(text) ? text : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
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
