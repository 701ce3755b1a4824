import { parquetMetadata, parquetRead, type FileMetaData } from "hyparquet";
import type { Column } from "../silver/columns.ts";
import type { TableWriter } from "./table-writer.ts";
import { decompressors } from "./encoding.ts";

/**
 * Reads columns of a Parquet file, each into one array. 64-bit integers are returned as bigint, timestamps as numbers
 * of microseconds since 1970 (exact until the year 2255). A column that is not in the file is all null, because the
 * file is older than the column. Throws if the file is damaged.
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

/** Counts the rows, and rejects an inconsistent footer before it makes `readColumns` allocate billions of nulls. */
function countRows({ num_rows: rows, row_groups: groups }: FileMetaData): number {
  const inGroups = groups.reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
  if (Number(rows) === inGroups) return inGroups;
  throw new Error(`Parquet footer is damaged: the file has ${rows} rows but its row groups have ${inGroups}`);
}

function nulls(rows: number): unknown[] {
  return new Array<unknown>(rows).fill(null);
}

function presentColumns({ schema }: FileMetaData): Set<string> {
  return new Set(schema.slice(1).map(({ name }) => name));
}

/** Appends the rows for which `keep` returns true, by row index, to a writer of the same table. */
export function copyRows(
  writer: TableWriter,
  columns: Readonly<Record<string, readonly unknown[]>>,
  keep: (row: number) => boolean,
): void {
  const total = columns[writer.columns[0]!.name]!.length;
  const rows = Array.from({ length: total }, (_, row) => row).filter((row) => keep(row));
  copyOrdered(writer, columns, rows);
}

/** Appends the rows with the given indexes, in that order; throws if a column of the table was not read. */
export function copyOrdered(
  writer: TableWriter,
  columns: Readonly<Record<string, readonly unknown[]>>,
  rows: readonly number[],
): void {
  for (const column of writer.columns) {
    const values = columns[column.name];
    if (values === undefined) throw new Error(`column ${column.name} was not read; read every column of the table`);
    const target = pushTo(writer, column);
    for (const row of rows) target.push(values[row]);
  }
}

function pushTo(writer: TableWriter, { name, type }: Column): { push(value: unknown): void } {
  if (type === "string") return writer.string(name);
  if (type === "int") return writer.int(name);
  return type === "boolean" ? writer.boolean(name) : writer.long(name);
}
