import type { LakeRow } from "../ports.ts";
import { showTerm } from "./cells.ts";
import { listedColumns, listSql } from "./line-sql.ts";
import { openPlace, termValue, type Books } from "./open-place.ts";
import type { LineTerm } from "./terms.ts";

/** An order line under a number, with its place in the stream. */
export interface ExplainedLine {
  order_id: string;
  line_no: number;
  revision: number;
  order_date: string;
  order_hour: number;
  store_id: string;
  channel: string;
  pizza_id: string;
  quantity: number;
  shard: string;
  sequence_number: string;
  record_index: number;
  /** Its share in each listed term; money in dollars. */
  shares: Record<string, string | null>;
}

export interface LineList {
  /** The terms that the lines have a share in. */
  listed: string[];
  /** How many lines there are; `lines` may be fewer. */
  lineCount: number;
  lines: ExplainedLine[];
}

/**
 * The lines of one column's own terms; of a whole row, those of all its sums over the row's own days. A column that follows
 * with the rows per customer may count other lines than the rest of its row: those are listed for it alone.
 */
export async function listLines(books: Books, columns: readonly string[], most: number): Promise<LineList> {
  const { cells, customerColumns } = books.table;
  const isOne = columns.length === 1;
  const isCustomers = columns.every((column) => customerColumns.includes(column));
  const own = columns
    .filter((column) => customerColumns.includes(column) === isCustomers)
    .flatMap((column) => cells[column]!.terms.filter((term) => term.kind === "lines"));
  const scope = isOne ? (own[0]?.scope ?? "row") : "row";
  const listed = own.filter((term) => term.scope === scope && (isOne || term.aggregate === "sum"));
  const terms = [...new Map(listed.map((term) => [term.name, term])).values()];
  const place = await openPlace(books, { scope, isCustomers });
  const { names, values } = place.filters;
  const rows = await place.query(listSql(terms, names, Math.max(1, most)), values);
  return {
    listed: terms.map(({ name }) => name),
    lineCount: Number(rows[0]?.["line_count"] ?? 0),
    lines: rows.slice(0, most).map((row) => lineOf(row, terms)),
  };
}

function lineOf(row: LakeRow, terms: readonly LineTerm[]): ExplainedLine {
  const columns = Object.fromEntries(listedColumns.map((column) => [column, row[column]]));
  const shares = terms.map((term, index) => [term.name, showTerm(term, termValue(row[`term_${index}`]))]);
  return { ...columns, order_date: row["order_date"], shares: Object.fromEntries(shares) } as unknown as ExplainedLine;
}
