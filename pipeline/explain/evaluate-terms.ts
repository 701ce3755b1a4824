import type { LakeRow } from "../ports.ts";
import type { TermValue } from "./cells.ts";
import { linesAtScope, termValue, type ExplainSources, type ScopedLines } from "./lines-at-scope.ts";
import type { LineTerm, OtherTerm, Term } from "./terms.ts";

/** The value of a term, and the number and the days of the lines behind it. */
export interface Result {
  value: TermValue;
  orderLines: number;
  days: string;
  /** True if gold does not show any of the term's days yet. */
  isEmpty: boolean;
}

/** The results of terms. The same term may have another result for columns that are published with rows by customer. */
export type Results = ReadonlyMap<string, Result>;

export function resultOf(results: Results, term: Term, isCustomers: boolean): Result {
  return results.get(nameOf(term, isCustomers))!;
}

function nameOf({ scope, kind, name }: Term, isCustomers: boolean): string {
  return [isCustomers, scope, kind, name].join("/");
}

/** Evaluates every term of some columns, with one query for all terms over the same lines. */
export async function evaluateTerms(sources: ExplainSources, columns: readonly string[]): Promise<Results> {
  const { cells, customerColumns } = sources.table;
  const results = new Map<string, Result>();
  for (const [isCustomers, some] of Map.groupBy(columns, (column) => customerColumns.includes(column))) {
    const terms = some.flatMap((column) => cells[column]!.terms);
    for (const [scope, inScope] of Map.groupBy(terms, (term) => term.scope)) {
      const lines = await linesAtScope(sources, { scope, isCustomers });
      for (const [term, result] of await evaluateAt(lines, sources.key, inScope))
        results.set(nameOf(term, isCustomers), result);
    }
  }
  return results;
}

async function evaluateAt(
  lines: ScopedLines,
  key: readonly string[],
  terms: readonly Term[],
): Promise<[Term, Result][]> {
  const unique = [...new Map(terms.map((term) => [term.kind + term.name, term])).values()];
  const results: [Term, Result][] = [];
  const own = unique.filter((term): term is LineTerm => term.kind === "lines");
  if (own.length > 0) {
    const { names, values } = lines.filters;
    const [row] = await lines.query(sumsSql(own, names), values);
    for (const [index, term] of own.entries())
      results.push([term, resultFrom(row!, lines, `term_${index}`, "order_lines")]);
  }
  const others = unique.filter((term): term is OtherTerm => term.kind === "others");
  for (const [from, some] of Map.groupBy(others, (term) => term.from)) {
    const parameters = Array<string>(from.split("?").length - 1).fill(key.at(-1)!);
    const [row] = await lines.query(othersSql(some), parameters);
    for (const [index, term] of some.entries()) {
      results.push([term, resultFrom(row!, lines, `value_${index}`, `order_lines_${index}`)]);
    }
  }
  return results;
}

function resultFrom(row: LakeRow, { days, isEmpty }: ScopedLines, value: string, orderLines: string): Result {
  return { value: termValue(row[value]), orderLines: Number(row[orderLines] ?? 0), days, isEmpty };
}

/** The columns of a listed line, in addition to its share in each term. */
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

/** Returns lake SQL for the order lines behind a row: sales with the key's values (`?` for each). */
export function linesSql(terms: readonly LineTerm[], filters: readonly string[]): string {
  const shares = terms.map(({ expression }, index) => `${expression} as term_${index}`);
  const where = ["status in ('placed', 'amended')", ...filters.map((column) => `${column} = ?`)];
  return `select ${[...listedColumns, "cast(order_date as varchar) as order_date", ...shares].join(", ")}
    from silver_order_lines
    where ${where.join(" and ")}`;
}

/** Returns lake SQL for the number of these lines and each term over all of them. */
export function sumsSql(terms: readonly LineTerm[], filters: readonly string[]): string {
  const sums = terms.map(({ aggregate }, index) =>
    aggregate === "sum"
      ? `cast(sum(term_${index}) as bigint) as term_${index}`
      : `${aggregate}(term_${index}) as term_${index}`,
  );
  return `select ${["count(*) as order_lines", ...sums].join(", ")} from (${linesSql(terms, filters)}) as lines`;
}

/** Returns lake SQL for the first `most` lines, in order of date, and the number of all lines. */
export function listSql(terms: readonly LineTerm[], filters: readonly string[], most: number): string {
  const lines = linesSql(terms, filters);
  return `select lines.*, count(*) over () as line_count from (${lines}) as lines
    order by order_date, store_id, order_id, line_no limit ${Math.floor(most)}`;
}

/** Returns lake SQL for terms about other rows' lines, all with the same `from`, in one select that is planned once. */
export function othersSql(terms: readonly OtherTerm[]): string {
  const values = terms.map(({ value, orderLines }, index) => {
    return `${value} as value_${index}, ${orderLines} as order_lines_${index}`;
  });
  return `select ${values.join(", ")} from (
    with sales as (select * from silver_order_lines where status in ('placed', 'amended'))
    select * from ${terms[0]!.from}
  ) as others`;
}
