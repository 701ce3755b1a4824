import { readDayFacts } from "../gold/day-facts.ts";
import { groupByMonth } from "../gold/group-by-month.ts";
import { readFacts, toJson } from "../gold/lake-facts.ts";
import type { GoldSql } from "../gold/publish-plan.ts";
import type { LakeQuery, LakeTable, Warehouse } from "../ports.ts";

/** What gold is compared by. */
export interface GoldPlace {
  lake: LakeQuery;
  warehouse: Warehouse;
  sql: GoldSql;
}

/** A cell of gold that is not what the rebuilt facts make of it. */
export interface GoldCell {
  table_name: string;
  /** The day of its row, or the first of its month; null for a row per customer. */
  day: string | null;
  key: string;
  column_name: string;
  published: string | null;
  rebuilt: string | null;
}

export interface GoldDifferences {
  cells: GoldCell[];
  /** Days whose facts differ. */
  days: string[];
}

/** Silver for SQL, or some of its days. */
export type TableOf = (days: readonly string[]) => LakeTable;

/** Rows of an answer: the RDS Data API gives 1 MiB. */
const mostCells = 2000;

/**
 * Compares the facts of these days, worked out from the lake once more, with those in the warehouse, and gold with what
 * the facts would make of it. `counted` are the days whose rows per customer are shown at the version of the day.
 */
export async function compareGold(
  place: GoldPlace,
  { table, days, counted }: { table: TableOf; days: readonly string[]; counted: ReadonlySet<string> },
): Promise<GoldDifferences> {
  const facts: GoldCell[] = [];
  for (const windows of groupByMonth(days)) {
    for (const document of await documentsOf(place, { table, windows, counted })) {
      facts.push(...(await factCells(place.warehouse, document)));
    }
  }
  const windows = [...new Set(facts.map(({ day }) => day!))].toSorted();
  const cells = await place.warehouse.query<GoldCell>(
    "select table_name, day, key, column_name, published, rebuilt from ops.rebuild_differences($1::jsonb, $2::integer)",
    [toJson(await wholeDocument(place, { table, windows, counted })), mostCells],
  );
  // Facts that were changed under gold, which still shows the old ones.
  return { cells: cells.length > 0 ? cells : facts, days: windows };
}

interface Asked {
  table: TableOf;
  windows: readonly string[];
  counted: ReadonlySet<string>;
}

async function documentsOf(place: GoldPlace, asked: Asked): Promise<Record<string, unknown>[]> {
  const { customer_windows: counted, customer_days: customers, ...days } = await wholeDocument(place, asked);
  return [days, ...(counted.length > 0 ? [{ windows: counted, customer_days: customers }] : [])];
}

async function wholeDocument({ lake, sql }: GoldPlace, { table, windows, counted }: Asked) {
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

/** What the warehouse puts into words: a key with its day in it, and each differing cell as it is and as it should be. */
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
