import type { Column } from "../domain/silver-columns.ts";
import { BooleanColumn } from "./boolean-column.ts";
import type { ColumnBuffer } from "./column-buffer.ts";
import { IntColumn } from "./int-column.ts";
import { LongColumn } from "./long-column.ts";
import { writeParquet, type WrittenTable } from "./parquet-file.ts";
import { StringColumn } from "./string-column.ts";

/**
 * A Parquet file in the making. Every column takes one value for each row, in any order within the row; `times` gives so
 * many rows the same value, and a nullable column takes null too. A value that the column's type cannot hold throws and names the column.
 */
export interface TableWriter {
  readonly columns: readonly Column[];
  /** Rows pushed so far. */
  readonly rows: number;
  string(name: string): { push(value: string | null, times?: number): void };
  /** 32-bit integers. */
  int(name: string): { push(value: number | null, times?: number): void };
  /** 64-bit integers, and timestamps in microseconds since 1970 UTC; numbers have to be safe integers. */
  long(name: string): { push(value: number | bigint | null, times?: number): void };
  boolean(name: string): { push(value: boolean | null, times?: number): void };
  /** The whole file, once; throws where the columns do not have the same number of rows. */
  finish(): WrittenTable;
}

/** Makes a writer of Parquet files: zstd, dictionaries where they pay, statistics of the key and the timestamps. */
export function createTableWriter(columns: readonly Column[]): TableWriter {
  const buffers = new Map(columns.map((column) => [column.name, createBuffer(column)]));
  const first = buffers.get(columns[0]!.name)!;
  const find = <Buffer extends ColumnBuffer>(name: string, kind: new (name: string, nullable: boolean) => Buffer) => {
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

function createBuffer({ name, type, ...column }: Column): ColumnBuffer {
  const nullable = column.nullable ?? false;
  if (type === "string") return new StringColumn(name, nullable);
  if (type === "int") return new IntColumn(name, nullable);
  if (type === "boolean") return new BooleanColumn(name, nullable);
  return new LongColumn(name, nullable);
}
