import type { Column } from "../domain/silver-columns.ts";

/** Columns that name things: their values say nothing together, and those of customers say too much alone. */
const names: ReadonlySet<string> = new Set(["order_id", "customer_key", "sequence_number", "record_index"]);

/** Whether a column's values are few enough to be counted one by one. */
export const isCounted = ({ name, type }: Column): boolean =>
  !names.has(name) && (type === "string" || type === "int" || type === "boolean");

const hasRange = ({ name, type }: Column): boolean => name !== "customer_key" && type !== "boolean";

/** The parts of a line's column in the answer of `summarySql`. */
export const parts = { filled: "__filled", distinct: "__distinct", least: "__least", greatest: "__greatest" } as const;

/**
 * Lake SQL with one row for the days from the parameter on, and one for those before it: `is_new`, `lines`, and of each
 * column how many are filled, how many differ, and the range.
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
 * Lake SQL with one row per value of each column that is counted: `column_name`, `value` as text, and its `lines` in the days
 * from the parameter on and `lines_before`.
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
