import { hash } from "node:crypto";
import type { Catalog } from "../domain/catalog.ts";
import type { OrderName } from "../domain/order-map.ts";
import type { Candidate } from "../domain/merge-orders.ts";
import { partitionColumn, silverColumns, type SilverColumnName } from "../silver/columns.ts";
import { readColumns } from "../parquet/read-columns.ts";
import { createOrderWriter } from "../silver/write-orders.ts";

/** All cells of one order line as text: silver's columns in order, then the date. */
export type LineCells = string[];

const names = [...silverColumns.map(({ name }) => name), partitionColumn];
/** The column name of each cell. */
export const lineColumns: readonly string[] = names;
const indexes: ReadonlyMap<string, number> = new Map(names.map((name, index) => [name, index]));

/** Returns a function that computes the lines silver must hold for an order, from its event alone. */
export function createLineMaker(enrichment: {
  catalog: Catalog;
  customerKey: (customerId: string) => string;
}): (order: Candidate) => LineCells[] {
  const pushed = new Map<string, unknown[]>(silverColumns.map(({ name }) => [name, []]));
  const texts: string[] = [];
  const column = (name: string) => {
    const push = (value: unknown, times = 1) => void pushed.get(name)!.push(...new Array<unknown>(times).fill(value));
    const pushIndex = (index: number, times?: number) => push(texts[index], times);
    return { push, dictionaryIndex: (text: string) => texts.push(text) - 1, pushIndex };
  };
  const write = createOrderWriter({ string: column, int: column, long: column, boolean: column }, enrichment);
  return (order) => {
    for (const values of pushed.values()) values.length = 0;
    write(order);
    const columns = silverColumns.map(({ name }) => pushed.get(name)!);
    return order.event.lines.map((_, line) => [...columns.map((values) => String(values[line])), order.orderDate]);
  };
}

/** Reads the lines of a silver data file, whose rows all have that date. */
export async function readLines(body: Uint8Array, date: string): Promise<LineCells[]> {
  return linesOf(await readLineColumns(body), date);
}

/** Reads the columns of a silver data file; the date, its partition value, is not among them. */
export async function readLineColumns(body: Uint8Array): Promise<Record<string, unknown[]>> {
  return await readColumns(
    body,
    silverColumns.map(({ name }) => name),
  );
}

/** Turns the columns of a data file into lines with that date. */
export function linesOf(columns: Record<string, unknown[]>, date: string): LineCells[] {
  const values = silverColumns.map(({ name }) => columns[name]!);
  return Array.from(values[0]!, (_, row) => [...values.map((column) => String(column[row])), date]);
}

/** Returns the date in a data file's key, or an empty string if it has none. */
export function dateOf(file: string): string {
  return /order_date=([^/]+)\//.exec(file)?.[1] ?? "";
}

/** Returns one cell of a line. */
export function cellOf(cells: LineCells, column: SilverColumnName): string {
  return cells[indexes.get(column)!]!;
}

/** Returns the order of a line. */
export function orderOfLine(cells: LineCells): OrderName {
  return { orderDate: cells.at(-1)!, storeId: cellOf(cells, "store_id"), orderId: cellOf(cells, "order_id") };
}

/** Returns a digest of the lines that does not depend on their order. */
export function digestLines(lines: readonly LineCells[]): string {
  const texts = lines.map((cells) => cells.join("\u001f")).toSorted();
  return hash("sha256", texts.join("\n"), "base64").slice(0, 16);
}

/**
 * Describes each line that differs from the expected one, by `line_no`: missing, unexpected, repeated or wrong cells.
 */
export function explainLines(actual: readonly LineCells[], expected: readonly LineCells[]): string[] {
  const actualByLine = Map.groupBy(actual, (cells) => cellOf(cells, "line_no"));
  const expectedByLine = new Map(expected.map((cells) => [cellOf(cells, "line_no"), cells]));
  return [...new Set([...expectedByLine.keys(), ...actualByLine.keys()])].flatMap((line) => {
    const [cells, ...more] = actualByLine.get(line) ?? [];
    const wanted = expectedByLine.get(line);
    if (wanted === undefined) return [`line ${line} should not exist`];
    if (cells === undefined) return [`line ${line} is missing`];
    if (more.length > 0) return [`line ${line} exists ${more.length + 1} times`];
    const wrong = names.flatMap((name, i) =>
      cells[i] === wanted[i] ? [] : [`${name} is ${cells[i]} for ${wanted[i]}`],
    );
    return wrong.length === 0 ? [] : [`line ${line}: ${wrong.join(", ")}`];
  });
}
