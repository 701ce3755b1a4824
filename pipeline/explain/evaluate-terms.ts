import type { LakeRow } from "../ports.ts";
import type { TermValue } from "./cells.ts";
import { linesAtScope, termValue, type ExplainSources, type ScopedLines } from "./lines-at-scope.ts";
import type { LineTerm, OtherTerm, Term } from "./terms.ts";

/** What a term came to, from how many lines of which days. */
export interface Result {
  value: TermValue;
  orderLines: number;
  days: string;
  /** True where gold shows no day of the term's yet. */
  isEmpty: boolean;
}

/** The results of terms; a column of those that follow with the rows per customer may have another one of the same term. */
export type Results = ReadonlyMap<string, Result>;

export function resultOf(results: Results, term: Term, isCustomers: boolean): Result {
  return results.get(nameOf(term, isCustomers))!;
}

function nameOf({ scope, kind, name }: Term, isCustomers: boolean): string {
  return [isCustomers, scope, kind, name].join("/");
}

/** Works out every term of some columns; terms over the same lines are one query. */
export async function evaluateTerms(sources: ExplainSources, columns: readonly string[]): Promise<Results> {
  const { cells, customerColumns } = sources.table;
  const results = new Map<string, Result>();
  for (const [isCustomers, some] of Map.groupBy(columns, (column) => customerColumns.includes(column))) {
    const terms = some.flatMap((column) => cells[column]!.terms);
    for (const [scope, inScope] of Map.groupBy(terms, (term) => term.scope)) {
      const place = await linesAtScope(sources, { scope, isCustomers });
      for (const [term, result] of await evaluateAt(place, sources.key, inScope))
        results.set(nameOf(term, isCustomers), result);
    }
  }
  return results;
}

async function evaluateAt(
  place: ScopedLines,
  key: readonly string[],
  terms: readonly Term[],
): Promise<[Term, Result][]> {
  const unique = [...new Map(terms.map((term) => [term.kind + term.name, term])).values()];
  const results: [Term, Result][] = [];
  const own = unique.filter((term): term is LineTerm => term.kind === "lines");
  if (own.length > 0) {
    const { names, values } = place.filters;
    const [row] = await place.query(sumsSql(own, names), values);
    for (const [index, term] of own.entries())
      results.push([term, resultFrom(row!, place, `term_${index}`, "order_lines")]);
  }
  const others = unique.filter((term): term is OtherTerm => term.kind === "others");
  for (const [from, some] of Map.groupBy(others, (term) => term.from)) {
    const parameters = Array<string>(from.split("?").length - 1).fill(key.at(-1)!);
    const [row] = await place.query(othersSql(some), parameters);
    for (const [index, term] of some.entries()) {
      results.push([term, resultFrom(row!, place, `value_${index}`, `order_lines_${index}`)]);
    }
  }
  return results;
}

function resultFrom(row: LakeRow, { days, isEmpty }: ScopedLines, value: string, orderLines: string): Result {
  return { value: termValue(row[value]), orderLines: Number(row[orderLines] ?? 0), days, isEmpty };
}

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
