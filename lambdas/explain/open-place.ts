import { linesAtVersions, type DayAtVersion } from "../gold/shown-lines.ts";
import type { DeltaTable } from "../lake/delta-table.ts";
import type { LakeQuery, LakeRow } from "../ports.ts";
import type { TermValue } from "./cells.ts";
import type { ExplainedTable } from "./gold-tables.ts";
import { rangeOf, type ShownDay } from "./scope-days.ts";
import type { Scope } from "./terms.ts";

/** A row of gold and what it is explained from. */
export interface Books {
  silver: DeltaTable;
  lake: LakeQuery;
  table: ExplainedTable;
  key: readonly string[];
  shown: readonly ShownDay[];
}

/** Silver on the days of a scope, each as gold shows it. */
export interface Place {
  /** The days in words. */
  days: string;
  isEmpty: boolean;
  /** Columns of silver that have to have the key's values, and these. */
  filters: { names: string[]; values: (string | number)[] };
  query(sql: string, parameters: readonly (string | number)[]): Promise<LakeRow[]>;
}

/** Opens silver on a scope's days; `isCustomers` at the versions that the rows per customer show. */
export async function openPlace(
  { silver, lake, table, key, shown }: Books,
  { scope, isCustomers }: { scope: Scope; isCustomers: boolean },
): Promise<Place> {
  const [from, to] = rangeOf(scope, dateOf(table, key));
  const days: DayAtVersion[] = [];
  for (const { order_date, version, customersVersion } of shown) {
    const wanted = isCustomers ? customersVersion : version;
    if (order_date >= from && order_date <= to && wanted !== null) days.push({ order_date, version: wanted });
  }
  const lines = await linesAtVersions(silver, days);
  return {
    days: inWords(days),
    isEmpty: days.length === 0,
    filters: filtersOf(table, key),
    query: (sql, parameters) => lake.query(sql, parameters, [lines]),
  };
}

function dateOf({ key: [first] }: ExplainedTable, [value]: readonly string[]) {
  if (first?.type !== "date") return undefined;
  return first.name === "month" ? { month: value! } : { day: value! };
}

function filtersOf(table: ExplainedTable, key: readonly string[]): Place["filters"] {
  const filters: Place["filters"] = { names: [], values: [] };
  for (const [index, { silver, type }] of table.key.entries()) {
    if (silver === undefined) continue;
    filters.names.push(silver);
    filters.values.push(type === "integer" ? Number(key[index]) : key[index]!);
  }
  return filters;
}

function inWords(days: readonly DayAtVersion[]): string {
  const [first, last] = [days[0]?.order_date, days.at(-1)?.order_date];
  return first === last ? (first ?? "no day") : `${first} to ${last}`;
}

/** A value of a lake query as a term has it. */
export function termValue(value: LakeRow[string] | undefined): TermValue {
  if (value === null || value === undefined) return null;
  return typeof value === "number" ? BigInt(value) : typeof value === "boolean" ? String(value) : value;
}
