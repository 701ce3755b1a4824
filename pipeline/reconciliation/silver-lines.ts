import { hash } from "node:crypto";
import type { Catalog } from "../domain/catalog.ts";
import type { Candidate } from "../domain/merge-orders.ts";
import { partitionColumn, silverColumns, type SilverColumnName } from "../silver/columns.ts";
import { readColumns } from "../parquet/read-columns.ts";
import { createOrderWriter } from "../silver/write-orders.ts";

/** All cells of one order line as text: silver's columns in their order, the date last. */
export type LineCells = string[];

const names = [...silverColumns.map(({ name }) => name), partitionColumn];
/** The name of each cell. */
export const lineColumns: readonly string[] = names;
const indexes: ReadonlyMap<string, number> = new Map(names.map((name, index) => [name, index]));

/** Gives the lines that silver must hold of an order, made from its event alone. */
export function createLineMaker(enrichment: {
  catalog: Catalog;
  customerKey: (customerId: string) => string;
}): (order: Candidate) => LineCells[] {
  const pushed = new Map<string, unknown[]>(silverColumns.map(({ name }) => [name, []]));
  const texts: string[] = [];
  const column = (name: string) => {
    const push = (value: unknown, times = 1) => void pushed.get(name)!.push(...new Array<unknown>(times).fill(value));
    const pushPlace = (place: number, times?: number) => push(texts[place], times);
    return { push, placeOf: (text: string) => texts.push(text) - 1, pushPlace };
  };
  const write = createOrderWriter({ string: column, int: column, long: column, boolean: column }, enrichment);
  return (order) => {
    for (const values of pushed.values()) values.length = 0;
    write(order);
    const columns = silverColumns.map(({ name }) => pushed.get(name)!);
    return order.event.lines.map((_, line) => [...columns.map((values) => String(values[line])), order.orderDate]);
  };
}

/** The lines of one of silver's data files, which are of that date. */
export async function readLines(body: Uint8Array, date: string): Promise<LineCells[]> {
  return linesOf(await readLineColumns(body), date);
}

/** The columns of one of silver's data files, but the date. */
export async function readLineColumns(body: Uint8Array): Promise<Record<string, unknown[]>> {
  return await readColumns(
    body,
    silverColumns.map(({ name }) => name),
  );
}

/** The lines that such columns make, of that date. */
export function linesOf(columns: Record<string, unknown[]>, date: string): LineCells[] {
  const values = silverColumns.map(({ name }) => columns[name]!);
  return Array.from(values[0]!, (_, row) => [...values.map((column) => String(column[row])), date]);
}

/** The date in a data file's key. */
export function dateOf(file: string): string {
  return /order_date=([^/]+)\//.exec(file)?.[1] ?? "";
}

/** One cell of a line. */
export function cellOf(cells: LineCells, column: SilverColumnName): string {
  return cells[indexes.get(column)!]!;
}

/** Equal for equal lines, whatever their order. */
export function digestLines(lines: readonly LineCells[]): string {
  const texts = lines.map((cells) => cells.join("\u001f")).toSorted();
  return hash("sha256", texts.join("\n"), "base64").slice(0, 16);
}

/** Says line by line which cells are not as they should be. */
export function explainLines(actual: readonly LineCells[], expected: readonly LineCells[]): string[] {
  const there = Map.groupBy(actual, (cells) => cellOf(cells, "line_no"));
  const wanted = new Map(expected.map((cells) => [cellOf(cells, "line_no"), cells]));
  return [...new Set([...wanted.keys(), ...there.keys()])].flatMap((line) => {
    const [cells, ...more] = there.get(line) ?? [];
    const should = wanted.get(line);
    if (should === undefined) return [`line ${line} should not be there`];
    if (cells === undefined) return [`line ${line} is missing`];
    if (more.length > 0) return [`line ${line} is there ${more.length + 1} times`];
    const wrong = names.flatMap((name, i) =>
      cells[i] === should[i] ? [] : [`${name} is ${cells[i]} for ${should[i]}`],
    );
    return wrong.length === 0 ? [] : [`line ${line}: ${wrong.join(", ")}`];
  });
}
