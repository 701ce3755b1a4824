import { parquetMetadata, parquetRead, type FileMetaData } from "hyparquet";
import type { Column } from "../silver/columns.ts";
import type { TableWriter } from "./table-writer.ts";
import { decompressors } from "./encoding.ts";

/**
 * Reads columns of a Parquet file, each as one array. Strings, booleans and 32-bit integers come as such, 64-bit integers
 * as bigint, timestamps as microseconds since 1970 in a number (exact until the year 2255), nulls as null. A column that
 * the file does not have is all null: the file is older than the column.
 */
export async function readColumns(bytes: Uint8Array, names: readonly string[]): Promise<Record<string, unknown[]>> {
  const { buffer } = new Uint8Array(bytes);
  const metadata = parquetMetadata(buffer);
  const rows = countRows(metadata);
  const columns = Object.fromEntries(names.map((name) => [name, nulls(rows)]));
  const present = presentColumns(metadata);
  await parquetRead({
    file: { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) },
    metadata,
    columns: names.filter((name) => present.has(name)),
    compressors: decompressors,
    parsers,
    onChunk({ columnName, columnData, rowStart }) {
      const column = columns[columnName]!;
      for (let row = 0; row < columnData.length; row++) column[rowStart + row] = columnData[row] ?? null;
    },
  });
  return columns;
}

const parsers = {
  timestampFromMicroseconds: (microseconds: bigint) => Number(microseconds),
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(),
};

/** A damaged footer must not make us fill a column of billions. */
function countRows({ num_rows: rows, row_groups: groups }: FileMetaData): number {
  const inGroups = groups.reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
  if (Number(rows) === inGroups) return inGroups;
  throw new Error(`parquet footer: the file has ${rows} rows, its row groups ${inGroups}; the footer is damaged`);
}

function nulls(rows: number): unknown[] {
  return new Array<unknown>(rows).fill(null);
}

function presentColumns({ schema }: FileMetaData): Set<string> {
  return new Set(schema.slice(1).map(({ name }) => name));
}

/** Appends the rows that `keep` says yes to, by their index, to a writer of the same table. */
export function copyRows(
  writer: TableWriter,
  columns: Readonly<Record<string, readonly unknown[]>>,
  keep: (row: number) => boolean,
): void {
  const total = columns[writer.columns[0]!.name]!.length;
  const rows = Array.from({ length: total }, (_, row) => row).filter((row) => keep(row));
  copyOrdered(writer, columns, rows);
}

/** Appends the rows of the given indices, in that order. */
export function copyOrdered(
  writer: TableWriter,
  columns: Readonly<Record<string, readonly unknown[]>>,
  rows: readonly number[],
): void {
  for (const column of writer.columns) {
    const values = columns[column.name];
    if (values === undefined) throw new Error(`column ${column.name}: it was not read; read every column of the table`);
    const target = pushTo(writer, column);
    for (const row of rows) target.push(values[row]);
  }
}

function pushTo(writer: TableWriter, { name, type }: Column): { push(value: unknown): void } {
  if (type === "string") return writer.string(name);
  if (type === "int") return writer.int(name);
  return type === "boolean" ? writer.boolean(name) : writer.long(name);
}
