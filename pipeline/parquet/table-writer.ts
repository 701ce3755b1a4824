import type { Column } from "../silver/columns.ts";
import { BooleanColumn, type ColumnBuffer } from "./column.ts";
import { IntColumn, LongColumn } from "./integer-columns.ts";
import { writeParquet, type WrittenTable } from "./file.ts";
import { StringColumn } from "./string-column.ts";

/** A column that takes texts; one that comes often is looked up once, by `placeOf`, and then pushed by its place. */
export interface TextTarget {
  push(value: string | null, times?: number): void;
  placeOf(value: string): number;
  pushPlace(place: number, times?: number): void;
}

/**
 * A Parquet file in the making. Every column takes one value for each row, in any order within the row; `times` gives so
 * many rows the same value, and a nullable column takes null too. A value that the column's type cannot hold throws and names the column.
 */
export interface TableWriter {
  readonly columns: readonly Column[];
  /** Rows pushed so far. */
  readonly rows: number;
  string(name: string): TextTarget;
  /** 32-bit integers. */
  int(name: string): { push(value: number | null, times?: number): void };
  /** 64-bit integers, and timestamps in microseconds since 1970 UTC; numbers have to be safe integers. */
  long(name: string): { push(value: number | bigint | null, times?: number): void };
  boolean(name: string): { push(value: boolean | null, times?: number): void };
  /** The whole file, once; throws where the columns do not have the same number of rows. */
  finish(): WrittenTable;
}

/**
 * Makes a writer of Parquet files: zstd, dictionaries where they pay, statistics of the key and the timestamps. It takes any
 * number of rows; with the right one it need not move what it has when it grows.
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
