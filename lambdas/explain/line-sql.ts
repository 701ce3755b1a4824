import type { LineTerm, OtherTerm } from "./terms.ts";

/** What stands of each line in a list, beside its share in the terms. */
export const listedColumns = [
  "order_id",
  "line_no",
  "revision",
  "order_hour",
  "store_id",
  "channel",
  "pizza_id",
  "quantity",
  "shard",
  "sequence_number",
  "record_index",
] as const;

/** Lake SQL of the order lines under a row: those that are sales and have the key's values (`?` for each). */
export function linesSql(terms: readonly LineTerm[], filters: readonly string[]): string {
  const shares = terms.map(({ expression }, index) => `${expression} as term_${index}`);
  const where = ["status in ('placed', 'amended')", ...filters.map((column) => `${column} = ?`)];
  return `select ${[...listedColumns, "cast(order_date as varchar) as order_date", ...shares].join(", ")}
    from silver_order_lines
    where ${where.join(" and ")}`;
}

/** How many lines these are, and each term over all of them. */
export function sumsSql(terms: readonly LineTerm[], filters: readonly string[]): string {
  const sums = terms.map(({ aggregate }, index) =>
    aggregate === "sum"
      ? `cast(sum(term_${index}) as bigint) as term_${index}`
      : `${aggregate}(term_${index}) as term_${index}`,
  );
  return `select ${["count(*) as order_lines", ...sums].join(", ")} from (${linesSql(terms, filters)}) as lines`;
}

/** The first so many of the lines, day by day, and how many there are in all. */
export function listSql(terms: readonly LineTerm[], filters: readonly string[], most: number): string {
  const lines = linesSql(terms, filters);
  return `select lines.*, count(*) over () as line_count from (${lines}) as lines
    order by order_date, order_id, line_no limit ${Math.floor(most)}`;
}

/** Values about more than the row's own lines, of terms that have one `from`; a single select, which DuckDB plans once. */
export function othersSql(terms: readonly OtherTerm[]): string {
  const values = terms.map(({ value, orderLines }, index) => {
    return `${value} as value_${index}, ${orderLines} as order_lines_${index}`;
  });
  return `select ${values.join(", ")} from (
    with sales as (select * from silver_order_lines where status in ('placed', 'amended'))
    select * from ${terms[0]!.from}
  ) as others`;
}
