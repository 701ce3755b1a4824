import { madeAt } from "../delta/data-file-name.ts";
import { findCommit, type FoundCommit } from "../delta/log.ts";
import type { DeltaTable, Snapshot } from "../delta/table.ts";
import type { OrderName } from "../domain/order-map.ts";
import { readColumns } from "../parquet/read-columns.ts";
import type { LakeQuery, LakeRow, ObjectStore } from "../ports.ts";
import { silverLakeTable } from "../silver/tables.ts";
import { eventPosition, rowPosition } from "../domain/stream-position.ts";

/** An order in silver, and the data file that contains it. */
export interface TracedSilverOrder extends OrderName {
  /** Key of the data file in the lake. */
  file: string;
  /** The version that added the file, a commit of the order or a later rewrite; null if the log no longer has it. */
  fileVersion: number | null;
  revision: number;
  status: string;
  /** ISO 8601 in UTC. */
  orderedAt: string;
  /** Stream position of its event: `shard/sequence number/index`. */
  place: string;
  lines: { lineNo: number; pizzaId: string; quantity: number; revenueCents: number }[];
}

interface TraceContext {
  store: ObjectStore;
  silver: DeltaTable;
  lake: LakeQuery;
  /** Text of `sql/trace/order-lines.sql`. */
  sql: string;
}

/** Finds the orders with an id in silver, each with its rows. Reads only files that may contain one. */
export async function findSilverOrders(
  { store, silver, lake, sql }: TraceContext,
  { orderId, snapshot }: { orderId: string; snapshot: Snapshot },
): Promise<{ order: TracedSilverOrder; rows: LakeRow[] }[]> {
  const files = [...snapshot.files.values()].filter((file) => mayHold(file.stats, orderId));
  if (files.length === 0) return [];
  const table = { ...silverLakeTable(snapshot), files: files.map(({ path }) => `${silver.root}/${path}`) };
  const all = await lake.query(sql, [orderId], [table]);
  const found = [];
  for (const rows of Map.groupBy(all, (row) => `${row["order_date"]} ${row["store_id"]}`).values()) {
    const [row] = rows as [LakeRow];
    const name = { orderDate: String(row["order_date"]), storeId: String(row["store_id"]), orderId };
    const ofDay = files.filter(({ partition }) => partition === name.orderDate);
    const holder = await holderOf({ store, root: silver.root }, ofDay, name);
    const added = await addedAt({ store, root: silver.root }, holder);
    const order: TracedSilverOrder = {
      ...name,
      file: `${silver.root}/${holder}`,
      fileVersion: added?.version ?? null,
      revision: Number(row["revision"]),
      status: String(row["status"]),
      orderedAt: String(row["ordered_at"]),
      place: eventPosition(rowPosition(row)),
      lines: rows.map((line) => ({
        lineNo: Number(line["line_no"]),
        pizzaId: String(line["pizza_id"]),
        quantity: Number(line["quantity"]),
        revenueCents: Number(line["revenue_cents"]),
      })),
    };
    found.push({ order, rows });
  }
  return found;
}

function mayHold(stats: { minValues: object; maxValues: object } | undefined, orderId: string): boolean {
  const { order_id: min } = Object(stats?.minValues) as { order_id?: unknown };
  const { order_id: max } = Object(stats?.maxValues) as { order_id?: unknown };
  return typeof min !== "string" || typeof max !== "string" || (min <= orderId && orderId <= max);
}

async function holderOf(
  { store, root }: { store: ObjectStore; root: string },
  files: readonly { path: string }[],
  { orderId, storeId }: OrderName,
): Promise<string> {
  for (const { path } of files) {
    if (files.length === 1) return path;
    const body = await store.get(`${root}/${path}`);
    if (body === undefined) continue;
    const { order_id: ids, store_id: stores } = await readColumns(body, ["order_id", "store_id"]);
    if (ids!.some((id, row) => id === orderId && stores![row] === storeId)) return path;
  }
  throw new Error(`order ${orderId} was moved to another data file during the trace; trace it again`);
}

async function addedAt(table: { store: ObjectStore; root: string }, path: string): Promise<FoundCommit | undefined> {
  return await findCommit(table, { notBefore: madeAt(path) ?? 0, holds: ({ add }) => add?.path === path });
}
