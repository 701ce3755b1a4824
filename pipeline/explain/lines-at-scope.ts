import type { DeltaTable } from "../delta/table.ts";
import type { LakeQuery, LakeRow, Warehouse } from "../ports.ts";
import { linesAtVersions, type DayAtVersion } from "../silver/tables.ts";
import type { TermValue } from "./cells.ts";
import type { ExplainedTable } from "./gold-tables.ts";
import type { Scope } from "./terms.ts";
import { addDays } from "../domain/dates.ts";

/** A gold row and the sources of its explanation. */
export interface ExplainSources {
  silver: DeltaTable;
  lake: LakeQuery;
  table: ExplainedTable;
  key: readonly string[];
  shown: readonly ShownDay[];
}

/** Silver on the days of a scope, each at the version that gold shows. */
export interface ScopedLines {
  /** The days in words. */
  days: string;
  isEmpty: boolean;
  /** The silver columns to filter by, and the key's values. */
  filters: { names: string[]; values: (string | number)[] };
  query(sql: string, parameters: readonly (string | number)[]): Promise<LakeRow[]>;
}

/** Opens silver on a scope's days; with `isCustomers`, at the versions that the rows by customer show. */
export async function linesAtScope(
  { silver, lake, table, key, shown }: ExplainSources,
  { scope, isCustomers }: { scope: Scope; isCustomers: boolean },
): Promise<ScopedLines> {
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

function filtersOf(table: ExplainedTable, key: readonly string[]): ScopedLines["filters"] {
  const filters: ScopedLines["filters"] = { names: [], values: [] };
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

/** Converts a value of a lake query to the value of a term. */
export function termValue(value: LakeRow[string] | undefined): TermValue {
  if (value === null || value === undefined) return null;
  return typeof value === "number" ? BigInt(value) : typeof value === "boolean" ? String(value) : value;
}

const [earliest, latest] = ["2000-01-01", "2199-12-31"];

/** Returns the first and last day of a scope, relative to the day or the month of a row. */
function rangeOf(scope: Scope, date: { day: string } | { month: string } | undefined): [string, string] {
  if (date === undefined || scope === "all days") return [earliest, latest];
  if ("month" in date) return scope === "month before" ? monthOf(addDays(date.month, -1)) : monthOf(date.month);
  if (scope === "month so far") return [`${date.day.slice(0, 7)}-01`, date.day];
  return scope === "seven days" ? [addDays(date.day, -6), date.day] : [date.day, date.day];
}

function monthOf(day: string): [string, string] {
  const first = `${day.slice(0, 7)}-01`;
  return [first, addDays(`${addDays(first, 31).slice(0, 7)}-01`, -1)];
}

/** A published day: the silver version that its facts show, and that of its rows by customer, if it has any. */
interface ShownDay extends DayAtVersion {
  customersVersion: number | null;
}

/** Gold shows every change of silver up to the cursor: a day that was published before it has not changed since. */
const shownSql = `
  select
    order_date::text as order_date,
    greatest(silver_version, shown.version)::text as version,
    case
      when customers_version >= silver_version then greatest(silver_version, shown.version)
      else customers_version
    end::text as customers_version
  from ops.windows
  cross join (select max(value::bigint) as version from ops.cursor where name = 'silver_version') as shown
  order by 1`;

/** Reads every published day. */
export async function readShownDays(warehouse: Warehouse): Promise<ShownDay[]> {
  const rows = await warehouse.query<{ order_date: string; version: string; customers_version: string | null }>(
    shownSql,
  );
  return rows.map(({ order_date, version, customers_version }) => ({
    order_date,
    version: Number(version),
    customersVersion: customers_version === null ? null : Number(customers_version),
  }));
}
