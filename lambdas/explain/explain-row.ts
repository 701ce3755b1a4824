import type { DeltaTable } from "../lake/delta-table.ts";
import type { LakeQuery, Warehouse } from "../ports.ts";
import { showTerm } from "./cells.ts";
import { evaluateTerms, resultOf, type Results } from "./evaluate-terms.ts";
import { explainedTables } from "./gold-tables.ts";
import { listLines, type LineList } from "./list-lines.ts";
import type { Books } from "./open-place.ts";
import { readRow } from "./read-row.ts";
import { readShownDays } from "./scope-days.ts";

export interface ExplainPorts {
  silver: DeltaTable;
  lake: LakeQuery;
  warehouse: Warehouse;
}

export interface ExplainRequest {
  /** Table of gold, without its schema. */
  table: string;
  /** Its key, in the order of the primary key; dates are `YYYY-MM-DD`. */
  key: readonly string[];
  /** One column; without it all of the row. */
  column?: string | undefined;
  /** So many order lines are listed at the most. */
  lines: number;
}

export interface Explanation extends LineList {
  table: string;
  key: Record<string, string>;
  cells: ExplainedCell[];
}

export interface ExplainedCell {
  column: string;
  gold: string | null;
  /** The same, worked out from order lines. */
  explained: string | null;
  equal: boolean;
  /** How it is made of the terms, by their names. */
  formula: string;
  terms: { name: string; value: string | null; orderLines: number; days: string }[];
}

/** Works a row of gold, or one column of it, out from silver at the versions that gold shows, and lists the order lines. */
export async function explainRow(ports: ExplainPorts, request: ExplainRequest): Promise<Explanation> {
  const table = explainedTables[request.table]!;
  const row = await readRow(ports.warehouse, { name: request.table, table, key: request.key });
  const books = { ...ports, table, key: request.key, shown: await readShownDays(ports.warehouse) };
  const columns = request.column === undefined ? Object.keys(table.cells) : [request.column];
  const [results, list] = await Promise.all([evaluateTerms(books, columns), listLines(books, columns, request.lines)]);
  const cells = columns.map((column) => explainCell(column, { row, books, results }));
  return {
    table: `gold.${request.table}`,
    key: Object.fromEntries(table.key.map(({ name }, index) => [name, request.key[index]!])),
    cells,
    ...list,
  };
}

function explainCell(
  column: string,
  { row, books, results }: { row: Record<string, string | null>; books: Books; results: Results },
): ExplainedCell {
  const { table, key } = books;
  const cell = table.cells[column]!;
  const isCustomers = table.customerColumns.includes(column);
  const found = cell.terms.map((term) => ({ term, ...resultOf(results, term, isCustomers) }));
  const gold = row[column] ?? null;
  const values = found.map(({ value }) => value);
  // Gold has no value before the rows per customer have come, nor have we a day to count on.
  const isEarly = isCustomers && found.every(({ isEmpty }) => isEmpty);
  const explained = isEarly ? null : cell.value(values, key);
  return {
    column,
    gold,
    explained,
    equal: gold === explained,
    formula: cell.formula,
    terms: found.map(({ term, value, orderLines, days }) => ({
      name: term.name,
      value: showTerm(term, value),
      orderLines,
      days,
    })),
  };
}
