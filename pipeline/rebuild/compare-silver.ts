import { OrderMap, type OrderName } from "../domain/order-map.ts";
import type { ReasonCode } from "../domain/rejection-reasons.ts";
import type { AddFile, DeltaTable, Snapshot } from "../delta/table.ts";
import { readColumns } from "../parquet/read-columns.ts";
import type { ObjectStore } from "../ports.ts";
import {
  cellOf,
  digestLines,
  lineColumns,
  orderOfLine,
  readLines,
  type LineCells,
} from "../reconciliation/silver-lines.ts";
import type { SilverColumnName } from "../silver/columns.ts";
import { quarantinedOrder, quarantinedOrderColumns } from "../silver/quarantine-table.ts";
import type { Cause, Difference } from "./report.ts";
import { type RecordPosition, recordPosition } from "../domain/stream-position.ts";

/** A table at one version, and the store with its files. */
export interface SilverAt {
  store: ObjectStore;
  table: Pick<DeltaTable, "root">;
  snapshot: Snapshot;
}

/** How the rebuilt silver differs from the published one. */
export interface SilverDifferences {
  differences: Difference[];
  /** Days with a difference. */
  days: string[];
  /** Orders with a difference. */
  orders: OrderMap<true>;
  /** Records of rows that no bronze object contains any longer: `shard/sequence number`. */
  missingRecords: string[];
}

/** Returns the rejection reasons of an order's events in both quarantines. */
export type ReasonsOf = (order: OrderName) => ReasonCode[];

interface Comparing extends Omit<SilverDifferences, "missingRecords"> {
  /** Differences of published rows without a rebuilt row from the same record, each with that record. */
  uprooted: Map<Difference, RecordPosition>;
}

/** Compares two tables day by day, cell by cell; `findMissing` returns the records that no bronze object contains. */
export async function compareSilver(
  { published, rebuilt }: { published: SilverAt; rebuilt: SilverAt },
  request: {
    from: string;
    to: string;
    reasonsOf: ReasonsOf;
    findMissing: (records: readonly RecordPosition[]) => Promise<ReadonlySet<string>>;
  },
): Promise<SilverDifferences> {
  const { from, to, reasonsOf, findMissing } = request;
  const found: Comparing = { differences: [], days: [], orders: new OrderMap(), uprooted: new Map() };
  const dates = [published, rebuilt].flatMap(({ snapshot }) => [...snapshot.partitions.keys()]);
  for (const day of [...new Set(dates)].filter((date) => date >= from && date <= to).toSorted()) {
    const [before, after] = await Promise.all([linesOf(published, day), linesOf(rebuilt, day)]);
    if (digestLines(before) === digestLines(after)) continue;
    found.days.push(day);
    compareDay(found, { day, before, after, reasonsOf });
  }
  const { uprooted, ...differences } = found;
  const missing = await findMissing([...uprooted.values()]);
  for (const [difference, record] of uprooted)
    if (missing.has(recordPosition(record))) difference.cause = "bronze is missing";
  return { ...differences, missingRecords: [...missing] };
}

async function linesOf({ store, table, snapshot }: SilverAt, day: string): Promise<LineCells[]> {
  const read = async ({ path }: AddFile) => {
    const body = await store.get(`${table.root}/${path}`);
    if (body === undefined)
      throw new Error(`silver file ${path} is in version ${snapshot.version} of the log but does not exist`);
    return await readLines(body, day);
  };
  return (await Promise.all((snapshot.partitions.get(day) ?? []).map(read))).flat();
}

function compareDay(
  found: Comparing,
  { day, before, after, reasonsOf }: { day: string; before: LineCells[]; after: LineCells[]; reasonsOf: ReasonsOf },
): void {
  const [was, is] = [byKey(before), byKey(after)];
  for (const key of [...new Set([...was.keys(), ...is.keys()])].toSorted()) {
    const [old, now] = [was.get(key), is.get(key)];
    const order = orderOfLine((old ?? now)!);
    const columns = changedColumns(old, now);
    if (columns.length === 0) continue;
    const cause = causeOf(columns, reasonsOf(order));
    found.orders.set(order, true);
    for (const column of columns) {
      const cell = { table: "silver.order_lines", day, key, column };
      const difference = { ...cell, published: valueOf(old, column), rebuilt: valueOf(now, column), cause };
      found.differences.push(difference);
      if (old !== undefined && !isOfSameRecord(old, now)) found.uprooted.set(difference, recordOf(old));
    }
  }
}

function recordOf(cells: LineCells): RecordPosition {
  return { shard: cellOf(cells, "shard"), sequenceNumber: cellOf(cells, "sequence_number") };
}

function isOfSameRecord(old: LineCells, now: LineCells | undefined): boolean {
  return now !== undefined && recordPosition(recordOf(old)) === recordPosition(recordOf(now));
}

/** Indexes lines by store, order id and line number; a number distinguishes copies of the same line. */
function byKey(lines: readonly LineCells[]): Map<string, LineCells> {
  const found = new Map<string, LineCells>();
  for (const cells of lines) {
    const key = ["store_id", "order_id", "line_no"].map((name) => cellOf(cells, name as SilverColumnName)).join(" ");
    let name = key;
    for (let copy = 2; found.has(name); copy++) name = `${key} (${copy})`;
    found.set(name, cells);
  }
  return found;
}

function changedColumns(old: LineCells | undefined, now: LineCells | undefined): string[] {
  if (old === undefined || now === undefined) return ["*"];
  return lineColumns.filter((_, index) => old[index] !== now[index]);
}

function valueOf(cells: LineCells | undefined, column: string): string | null {
  if (cells === undefined) return null;
  if (column !== "*") return cells[lineColumns.indexOf(column)]!;
  return ["quantity", "pizza_id", "unit_price_cents"].map((name) => cells[lineColumns.indexOf(name)]).join(" ");
}

const fromCatalog: ReadonlySet<string> = new Set([
  "pizza_type_id",
  "pizza_name",
  "category",
  "size",
  "unit_price_cents",
  "unit_cost_cents",
  "revenue_cents",
  "cost_cents",
  "margin_cents",
  "is_first_of_type",
  "is_first_of_category",
  "is_first_of_size",
  "city",
  "state",
]);
const catalogReasons: ReadonlySet<ReasonCode> = new Set(["price_off_menu", "unknown_pizza", "unknown_store"]);

/** Determines the cause. A row that exists on only one side was rejected on the other, by the menu or by a rule. */
function causeOf(columns: readonly string[], reasons: readonly ReasonCode[]): Cause {
  const isOfMenu =
    columns[0] === "*"
      ? reasons.some((reason) => catalogReasons.has(reason))
      : columns.every((column) => fromCatalog.has(column));
  return isOfMenu ? "menu change" : "rule version";
}

/** Reads the rejection reasons in quarantine tables, by order. */
export async function readReasons(tables: readonly SilverAt[]): Promise<ReasonsOf> {
  const reasons = new OrderMap<ReasonCode[]>();
  for (const { store, table, snapshot } of tables) {
    for (const { path } of snapshot.files.values()) {
      const body = await store.get(`${table.root}/${path}`);
      const columns = await readColumns(body!, [...quarantinedOrderColumns, "reason"]);
      for (const [row, reason] of (columns["reason"] as ReasonCode[]).entries()) {
        const order = quarantinedOrder(columns, row);
        if (order !== undefined) reasons.set(order, [...(reasons.get(order) ?? []), reason]);
      }
    }
  }
  return (order) => reasons.get(order) ?? [];
}
