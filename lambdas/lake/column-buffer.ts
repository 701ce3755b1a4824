import type { EncodedColumn } from "./page-encoding.ts";

/** The smallest and largest value of some rows; texts are shortened so that they still bound the rows. */
export interface Bounds {
  min: string | number;
  max: string | number;
}

/** Whether bounds can be told to a reader: beyond the safe integers a number is no longer the value itself. */
export function areUsable({ min, max }: Bounds): boolean {
  return typeof min === "string" || (Number.isSafeInteger(min) && Number.isSafeInteger(max));
}

/** The rows of one column on their way into a file. */
export interface ColumnBuffer {
  readonly rows: number;
  readonly nulls: number;
  /** Encodes the rows `[from, to)`. */
  encode(from: number, to: number): EncodedColumn;
  /** Bounds of the rows `[from, to)`; undefined where they hold no value. */
  bounds(from: number, to: number): Bounds | undefined;
}

/** Rows in a page of values of a fixed width. */
export const pageRows = 1 << 17;

/** The error of a value that its column cannot hold. */
export function badValue(column: string, value: unknown, expected: string): Error {
  return new Error(`column ${column}: ${String(value)} is not ${expected}; correct the value before it is written`);
}
