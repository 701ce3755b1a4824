import type { DeltaTable } from "../delta/table.ts";
import type { LakeQuery, LakeRow } from "../ports.ts";
import { silverColumns, type Column } from "../silver/columns.ts";
import { silverLakeTable } from "../silver/tables.ts";
import { addDays } from "../domain/dates.ts";

/** The contents of silver's columns in the newest week, compared with the week before. */
export interface SilverProfile {
  /** The silver version; -1 if silver does not exist yet. */
  silverVersion: number;
  /** First and last day of the week that ends with the newest order date; null without orders. */
  week: { from: string; until: string } | null;
  lines: number;
  /** Order lines in the seven days before. */
  linesBefore: number;
  columns: ColumnProfile[];
}

/** The contents of one column. */
export interface ColumnProfile {
  name: string;
  type: Column["type"];
  nulls: number;
  nullsBefore: number;
  distinct: number;
  distinctBefore: number;
  /** As text; null if the column has no value or no meaningful range. */
  least: string | null;
  greatest: string | null;
  /** The five most frequent values; empty for identifiers and times. */
  top: { value: string | null; lines: number }[];
  /**
   * Share of the lines that would need another value to make the two weeks equal, 0 to 1 (total variation distance);
   * null if values are not counted, or if the week before has no lines.
   */
  drift: number | null;
}

const mostShown = 5;

/** Profiles the newest seven days of silver; reads fourteen days. */
export async function profileSilver({ silver, lake }: { silver: DeltaTable; lake: LakeQuery }): Promise<SilverProfile> {
  const snapshot = await silver.snapshot();
  const until = [...snapshot.partitions.keys()].toSorted().at(-1);
  const nothing = { silverVersion: snapshot.version, week: null, lines: 0, linesBefore: 0, columns: [] };
  if (until === undefined) return nothing;
  const [from, before] = [addDays(until, -6), addDays(until, -13)];
  const table = silverLakeTable(
    snapshot,
    [...snapshot.partitions.keys()].filter((day) => day >= before),
  );
  const [summaries, counts] = await Promise.all([
    lake.query(summarySql(silverColumns), [from], [table]),
    lake.query(countsSql(silverColumns), [from], [table]),
  ]);
  const [now, then] = [true, false].map((isNew) => summaries.find((row) => row["is_new"] === isNew) ?? {});
  const byColumn = Map.groupBy(counts, (row) => String(row["column_name"]));
  return {
    silverVersion: snapshot.version,
    week: { from, until },
    lines: linesOf(now!),
    linesBefore: linesOf(then!),
    columns: silverColumns.map((column) => profileColumn(column, [now!, then!], byColumn.get(column.name) ?? [])),
  };
}

function profileColumn(column: Column, [now, then]: [LakeRow, LakeRow], counts: LakeRow[]): ColumnProfile {
  const { name, type } = column;
  const nullsIn = (row: LakeRow) => linesOf(row) - Number(row[`${name}${parts.filled}`] ?? 0);
  const distinctIn = (row: LakeRow) => Number(row[`${name}${parts.distinct}`] ?? 0);
  const text = (part: string) => (now[`${name}${part}`] == null ? null : String(now[`${name}${part}`]));
  const values = counts.map((row) => ({
    value: row["value"] === null ? null : String(row["value"]),
    lines: linesOf(row),
    before: Number(row["lines_before"]),
  }));
  const top = values
    .filter(({ lines }) => lines > 0)
    .toSorted((a, b) => b.lines - a.lines || ((a.value ?? "") < (b.value ?? "") ? -1 : 1));
  return {
    name,
    type,
    nulls: nullsIn(now),
    nullsBefore: nullsIn(then),
    distinct: distinctIn(now),
    distinctBefore: distinctIn(then),
    least: text(parts.least),
    greatest: text(parts.greatest),
    top: top.slice(0, mostShown).map(({ value, lines }) => ({ value, lines })),
    drift: isCounted(column) && linesOf(then) > 0 ? driftOf(values, linesOf(now), linesOf(then)) : null,
  };
}

/** Returns half the sum of the differences between the values' shares, rounded to four decimals. */
function driftOf(values: { lines: number; before: number }[], total: number, totalBefore: number): number {
  const moved = values.reduce((sum, { lines, before }) => sum + Math.abs(lines / total - before / totalBefore), 0);
  return Math.round((moved / 2) * 10_000) / 10_000;
}

function linesOf(row: LakeRow): number {
  return Number(row["lines"] ?? 0);
}

/** Identifiers: their value counts are meaningless, and a customer's would reveal too much. */
const names: ReadonlySet<string> = new Set(["order_id", "customer_key", "sequence_number", "record_index"]);

/** Whether a column's values are few enough to be counted one by one. */
const isCounted = ({ name, type }: Column): boolean =>
  !names.has(name) && (type === "string" || type === "int" || type === "boolean");

const hasRange = ({ name, type }: Column): boolean => name !== "customer_key" && type !== "boolean";

/** Suffixes of a column's aggregates in the result of `summarySql`. */
const parts = { filled: "__filled", distinct: "__distinct", least: "__least", greatest: "__greatest" } as const;

/**
 * Returns lake SQL with one row for the days from the parameter on, and one for those before it: `is_new`, `lines`, and
 * per column the number of non-null values, the number of distinct values, and the range.
 */
export function summarySql(columns: readonly Column[]): string {
  const summaries = columns.flatMap((column) => {
    const { name } = column;
    return [
      `count(${name}) as ${name}${parts.filled}`,
      `count(distinct ${name}) as ${name}${parts.distinct}`,
      ...(hasRange(column)
        ? [`min(${name}) as ${name}${parts.least}`, `max(${name}) as ${name}${parts.greatest}`]
        : []),
    ];
  });
  return `${datedLines}select is_new, count(*) as lines, ${summaries.join(", ")} from dated_lines group by is_new`;
}

/**
 * Returns lake SQL with one row per value of each counted column: `column_name`, `value` as text, its `lines` in the
 * days from the parameter on, and its `lines_before`.
 */
export function countsSql(columns: readonly Column[]): string {
  const counts = columns.filter(isCounted).map(
    ({ name }) =>
      `select '${name}' as column_name, cast(${name} as varchar) as value,
    sum(case when is_new then 1 else 0 end) as lines, sum(case when is_new then 0 else 1 end) as lines_before
    from dated_lines group by ${name}`,
  );
  return `${datedLines}${counts.join("\nunion all\n")}`;
}

const datedLines = `with asked as (select cast(? as date) as first_day),
dated_lines as (
    select silver_order_lines.*, order_date >= first_day as is_new
    from silver_order_lines cross join asked
)
`;
