import type { LakeRow } from "../ports.ts";
import type { TermValue } from "./cells.ts";
import { othersSql, sumsSql } from "./line-sql.ts";
import { openPlace, termValue, type Books, type Place } from "./open-place.ts";
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
export async function evaluateTerms(books: Books, columns: readonly string[]): Promise<Results> {
  const { cells, customerColumns } = books.table;
  const results = new Map<string, Result>();
  for (const [isCustomers, some] of Map.groupBy(columns, (column) => customerColumns.includes(column))) {
    const terms = some.flatMap((column) => cells[column]!.terms);
    for (const [scope, inScope] of Map.groupBy(terms, (term) => term.scope)) {
      const place = await openPlace(books, { scope, isCustomers });
      for (const [term, result] of await evaluateAt(place, books.key, inScope))
        results.set(nameOf(term, isCustomers), result);
    }
  }
  return results;
}

async function evaluateAt(place: Place, key: readonly string[], terms: readonly Term[]): Promise<[Term, Result][]> {
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

function resultFrom(row: LakeRow, { days, isEmpty }: Place, value: string, orderLines: string): Result {
  return { value: termValue(row[value]), orderLines: Number(row[orderLines] ?? 0), days, isEmpty };
}
