import type { Findings } from "../domain/receipt.ts";
import type { AddFile } from "../lake/delta-table.ts";
import { compareText } from "../lake/text-order.ts";

/** What a table's log says of a data file, and the file's own columns. */
export interface FileInLog extends Pick<AddFile, "rows" | "stats"> {
  columns: Readonly<Record<string, readonly unknown[]>>;
}

/**
 * Compares a file's statistics in the log with its rows. Readers, refining among them, leave files out by the bounds: too
 * narrow ones make an order look new that is there. Bounds may be wider than the rows, as texts are cut.
 */
export function checkStats(key: string, { rows, stats, columns }: FileInLog, findings: Findings): void {
  const wrong = explainStats({ rows, stats, columns });
  if (wrong.length > 0) {
    findings.add("the lake is whole", "data files hold other rows than the log says", `${key}: ${wrong.join(", ")}`);
  }
}

function explainStats({ rows, stats, columns }: FileInLog): string[] {
  const here = Object.values(columns)[0]!.length;
  const wrong = rows === here ? [] : [`rows is ${rows} for ${here}`];
  if (stats === undefined) return wrong;
  for (const [name, counted] of Object.entries(stats.nullCount)) {
    const nulls = columns[name]?.filter((value) => value === null).length ?? counted;
    if (counted !== nulls) wrong.push(`nullCount of ${name} is ${counted} for ${nulls}`);
  }
  for (const name of new Set([...Object.keys(stats.minValues), ...Object.keys(stats.maxValues)])) {
    const range = rangeOf(columns[name] ?? []);
    if (range === undefined) continue;
    const [min, max] = [stats.minValues[name], stats.maxValues[name]];
    if (min !== undefined && compare(min, range.min) > 0)
      wrong.push(`min of ${name} is ${min} for ${show(min, range.min)}`);
    if (max !== undefined && compare(max, range.max) < 0)
      wrong.push(`max of ${name} is ${max} for ${show(max, range.max)}`);
  }
  return wrong;
}

type Cell = string | number | bigint | boolean;

function rangeOf(values: readonly unknown[]): { min: Cell; max: Cell } | undefined {
  let [min, max]: (Cell | undefined)[] = [];
  for (const value of values as readonly (Cell | null)[]) {
    if (value === null) continue;
    if (min === undefined || order(value, min) < 0) min = value;
    if (max === undefined || order(value, max) > 0) max = value;
  }
  return min === undefined || max === undefined ? undefined : { min, max };
}

function order(left: Cell, right: Cell): number {
  if (typeof left === "string") return compareText(left, String(right));
  return left < right ? -1 : Number(left > right);
}

/** A bound of the log against a cell: a timestamp is a text there, and microseconds here; it counts to the millisecond. */
function compare(bound: string | number, cell: Cell): number {
  if (typeof bound === "string" && typeof cell === "number") return Date.parse(bound) - Math.floor(cell / 1000);
  return order(bound, cell);
}

function show(bound: string | number, cell: Cell): string {
  const isTime = typeof bound === "string" && typeof cell === "number";
  return isTime ? new Date(cell / 1000).toISOString() : String(cell);
}
