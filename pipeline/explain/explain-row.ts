import type { DeltaTable } from "../delta/table.ts";
import type { LakeQuery, Warehouse, LakeRow } from "../ports.ts";
import { showTerm } from "./cells.ts";
import { evaluateTerms, resultOf, type Results, listedColumns, listSql } from "./evaluate-terms.ts";
import { explainedTables, type ExplainedTable } from "./gold-tables.ts";
import { type ExplainSources, readShownDays, linesAtScope, termValue } from "./lines-at-scope.ts";
import type { LineTerm } from "./terms.ts";

/** The table and engines that an explanation reads. */
export interface ExplainPorts {
  silver: DeltaTable;
  lake: LakeQuery;
  warehouse: Warehouse;
}

/** The row or cell to explain. */
export interface ExplainRequest {
  /** Gold table, without its schema. */
  table: string;
  /** The row's key, in the order of the primary key; dates are `YYYY-MM-DD`. */
  key: readonly string[];
  /** One column; without it, the whole row. */
  column?: string | undefined;
  /** Maximum number of listed order lines. */
  lines: number;
}

/** The cells of a row with their formulas and terms, and the order lines behind them. */
export interface Explanation extends LineList {
  table: string;
  key: Record<string, string>;
  cells: ExplainedCell[];
}

/** One cell as gold shows it and as computed from order lines. */
export interface ExplainedCell {
  column: string;
  gold: string | null;
  /** The value computed from order lines. */
  explained: string | null;
  equal: boolean;
  /** The formula, with the names of the terms. */
  formula: string;
  terms: { name: string; value: string | null; orderLines: number; days: string }[];
}

/** Computes a gold row, or one column of it, from silver at the versions that gold shows, and lists the order lines. */
export async function explainRow(ports: ExplainPorts, request: ExplainRequest): Promise<Explanation> {
  const table = explainedTables[request.table]!;
  const row = await readRow(ports.warehouse, { name: request.table, table, key: request.key });
  const sources = { ...ports, table, key: request.key, shown: await readShownDays(ports.warehouse) };
  const columns = request.column === undefined ? Object.keys(table.cells) : [request.column];
  const [results, list] = await Promise.all([
    evaluateTerms(sources, columns),
    listLines(sources, columns, request.lines),
  ]);
  const cells = columns.map((column) => explainCell(column, { row, sources, results }));
  return {
    table: `gold.${request.table}`,
    key: Object.fromEntries(table.key.map(({ name }, index) => [name, request.key[index]!])),
    cells,
    ...list,
  };
}

function explainCell(
  column: string,
  { row, sources, results }: { row: Record<string, string | null>; sources: ExplainSources; results: Results },
): ExplainedCell {
  const { table, key } = sources;
  const cell = table.cells[column]!;
  const isCustomers = table.customerColumns.includes(column);
  const found = cell.terms.map((term) => ({ term, ...resultOf(results, term, isCustomers) }));
  const gold = row[column] ?? null;
  const values = found.map(({ value }) => value);
  // Before its rows by customer are published, gold has no value and there is no day to count.
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

/** Reads the cells of a gold row as text; throws if the row does not exist. */
async function readRow(
  warehouse: Warehouse,
  { name, table, key }: { name: string; table: ExplainedTable; key: readonly string[] },
): Promise<Record<string, string | null>> {
  const columns = Object.keys(table.cells).map((column) => `${asText(column)} as ${column}`);
  const where = table.key.map((column, index) => `${column.name} = $${index + 1}::${column.type}`);
  const sql = `select ${columns.join(", ")} from gold.${name} where ${where.join(" and ")}`;
  const [row] = await warehouse.query<Record<string, string | null>>(sql, key);
  if (row !== undefined) return row;
  const wanted = table.key.map((column, index) => `${column.name} ${key[index]}`).join(", ");
  throw new Error(
    `gold.${name} has no row for ${wanted}: ./pizza query "select * from gold.${name}" shows the existing rows`,
  );
}

function asText(column: string): string {
  return column.endsWith("_at")
    ? `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
    : `${column}::text`;
}

/** An order line behind a number, with its stream position. */
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

interface LineList {
  /** Names of the terms that `shares` of the lines add up to. */
  listed: string[];
  /** How many lines there are; `lines` may be fewer. */
  lineCount: number;
  lines: ExplainedLine[];
}

/**
 * Lists the lines of one column's own terms or, for a whole row, of all its sums over the row's own days. A column that
 * is published with rows by customer may count other lines than the rest of its row; they are listed only for that
 * column.
 */
async function listLines(sources: ExplainSources, columns: readonly string[], most: number): Promise<LineList> {
  const { cells, customerColumns } = sources.table;
  const isOne = columns.length === 1;
  const isCustomers = columns.every((column) => customerColumns.includes(column));
  const own = columns
    .filter((column) => customerColumns.includes(column) === isCustomers)
    .flatMap((column) => cells[column]!.terms.filter((term) => term.kind === "lines"));
  const scope = isOne ? (own[0]?.scope ?? "row") : "row";
  const listed = own.filter((term) => term.scope === scope && (isOne || term.aggregate === "sum"));
  const terms = [...new Map(listed.map((term) => [term.name, term])).values()];
  const lines = await linesAtScope(sources, { scope, isCustomers });
  const { names, values } = lines.filters;
  const rows = await lines.query(listSql(terms, names, Math.max(1, most)), values);
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
