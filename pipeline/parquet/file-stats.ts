import type { Column } from "../silver/columns.ts";
import { areUsable, type Bounds, type ColumnBuffer } from "./column.ts";
import { compareText } from "./string-column.ts";

/** A data file's statistics in Delta's format; readers skip files by the bounds. */
export interface FileStats {
  numRecords: number;
  minValues: Record<string, string | number>;
  maxValues: Record<string, string | number>;
  nullCount: Record<string, number>;
}

/** Returns the columns with statistics: the first one, which is the table's key, and every timestamp. */
export function statisticsColumns(columns: readonly Column[]): Column[] {
  return columns.filter(({ type }, index) => index === 0 || type === "timestamp");
}

/** Widens a column's bounds by those of another row group. */
export function joinBounds(whole: Map<string, Bounds>, name: string, bounds: Bounds): void {
  const known = whole.get(name);
  if (known === undefined) whole.set(name, bounds);
  else whole.set(name, { min: lesser(known.min, bounds.min), max: greater(known.max, bounds.max) });
}

/** Returns a file's statistics. Timestamps have millisecond precision: minima are rounded down, maxima up. */
export function fileStats({
  rows,
  columns,
  bounds,
  buffers,
}: {
  rows: number;
  columns: readonly Column[];
  bounds: ReadonlyMap<string, Bounds>;
  buffers: ReadonlyMap<string, ColumnBuffer>;
}): FileStats {
  const stats: FileStats = { numRecords: rows, minValues: {}, maxValues: {}, nullCount: {} };
  for (const { name, type } of columns) {
    stats.nullCount[name] = buffers.get(name)!.nulls;
    const found = bounds.get(name);
    if (found === undefined || !areUsable(found)) continue;
    const isTime = type === "timestamp";
    stats.minValues[name] = isTime ? isoTime(Math.floor(Number(found.min) / 1000)) : found.min;
    stats.maxValues[name] = isTime ? isoTime(Math.ceil(Number(found.max) / 1000)) : found.max;
  }
  return stats;
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function lesser<Value extends string | number>(left: Value, right: Value): Value {
  return compare(left, right) <= 0 ? left : right;
}

function greater<Value extends string | number>(left: Value, right: Value): Value {
  return compare(left, right) >= 0 ? left : right;
}

function compare(left: string | number, right: string | number): number {
  return typeof left === "string" ? compareText(left, String(right)) : left - Number(right);
}
