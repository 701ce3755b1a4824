import type { Column } from "../silver/columns.ts";
import { BooleanColumn, type ColumnBuffer } from "./column.ts";
import { IntColumn, LongColumn } from "./integer-columns.ts";
import { writeParquet, type WrittenTable } from "./file.ts";
import { StringColumn } from "./string-column.ts";

/** A column of texts. */
export interface TextTarget {
  push(value: string | null, times?: number): void;
  /** Returns the dictionary index of a text that will be pushed often. */
  dictionaryIndex(value: string): number;
  /** Pushes the text with a dictionary index from `dictionaryIndex`, without a lookup. */
  pushIndex(index: number, times?: number): void;
}

/**
 * A builder of a Parquet file. Push one value per row to every column, in any order within the row; `times` repeats the
 * value for that many rows. A nullable column also accepts null. A value that does not fit the column's type throws.
 */
export interface TableWriter {
  readonly columns: readonly Column[];
  /** Rows pushed so far. */
  readonly rows: number;
  string(name: string): TextTarget;
  /** 32-bit integers. */
  int(name: string): { push(value: number | null, times?: number): void };
  /** 64-bit integers, and timestamps in microseconds since 1970 UTC; numbers must be safe integers. */
  long(name: string): { push(value: number | bigint | null, times?: number): void };
  boolean(name: string): { push(value: boolean | null, times?: number): void };
  /** Returns the file; throws if the columns have different numbers of rows. Call it once. */
  finish(): WrittenTable;
}

/**
 * Creates a writer of a Parquet file with zstd, dictionaries where they pay, and statistics of the key and timestamps.
 * `rows` is only a hint: with the right number, the buffers never have to grow.
 */
export function createTableWriter(columns: readonly Column[], { rows = 256 }: { rows?: number } = {}): TableWriter {
  const buffers = new Map(columns.map((column) => [column.name, createBuffer(column, rows)]));
  const first = buffers.get(columns[0]!.name)!;
  const find = <Buffer extends ColumnBuffer>(
    name: string,
    kind: new (name: string, nullable: boolean, room: number) => Buffer,
  ) => {
    const buffer = buffers.get(name);
    if (buffer instanceof kind) return buffer;
    throw new Error(`column ${name}: the table has no such ${kind.name.replace("Column", "").toLowerCase()} column`);
  };
  return {
    columns,
    get rows() {
      return first.rows;
    },
    string: (name) => find(name, StringColumn),
    int: (name) => find(name, IntColumn),
    long: (name) => find(name, LongColumn),
    boolean: (name) => find(name, BooleanColumn),
    finish: () => writeParquet(columns, buffers),
  };
}

function createBuffer({ name, type, ...column }: Column, room: number): ColumnBuffer {
  const nullable = column.nullable ?? false;
  if (type === "string") return new StringColumn(name, nullable, room);
  if (type === "int") return new IntColumn(name, nullable, room);
  if (type === "boolean") return new BooleanColumn(name, nullable, room);
  return new LongColumn(name, nullable, room);
}
