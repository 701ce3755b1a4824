import { madeAt } from "../delta/data-file-name.ts";
import { findCommit, type FoundCommit } from "../delta/log.ts";
import type { DeltaTable, Snapshot } from "../delta/table.ts";
import { readColumns } from "../parquet/read-columns.ts";
import type { LakeQuery, LakeRow, ObjectStore } from "../ports.ts";
import { silverLakeTable } from "../silver/tables.ts";
import { eventPosition, rowPosition } from "../domain/stream-position.ts";

/** Where silver holds an order. */
export interface TracedSilverOrder {
  /** Key of the data file in the lake, and the version that added it: compaction and newer revisions write files anew. */
  file: string;
  fileVersion: number | null;
  orderDate: string;
  revision: number;
  status: string;
  /** ISO 8601 in UTC. */
  orderedAt: string;
  /** Place of the event that it came from: `shard/sequence number/index`. */
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

/** An order as silver holds it, with its rows; undefined where silver does not have it. Reads only files that may hold it. */
export async function findSilverOrder(
  { store, silver, lake, sql }: TraceContext,
  { orderId, snapshot }: { orderId: string; snapshot: Snapshot },
): Promise<{ order: TracedSilverOrder; rows: LakeRow[] } | undefined> {
  const files = [...snapshot.files.values()].filter((file) => mayHold(file.stats, orderId));
  if (files.length === 0) return undefined;
  const table = { ...silverLakeTable(snapshot), files: files.map(({ path }) => `${silver.root}/${path}`) };
  const rows = await lake.query(sql, [orderId], [table]);
  const [row] = rows;
  if (row === undefined) return undefined;
  const ofDay = files.filter(({ partition }) => partition === row["order_date"]);
  const holder = await holderOf({ store, root: silver.root }, ofDay, orderId);
  const added = await addedAt({ store, root: silver.root }, holder);
  const order: TracedSilverOrder = {
    file: `${silver.root}/${holder}`,
    fileVersion: added?.version ?? null,
    orderDate: String(row["order_date"]),
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
  return { order, rows };
}

function mayHold(stats: { minValues: object; maxValues: object } | undefined, orderId: string): boolean {
  const { order_id: min } = Object(stats?.minValues) as { order_id?: unknown };
  const { order_id: max } = Object(stats?.maxValues) as { order_id?: unknown };
  return typeof min !== "string" || typeof max !== "string" || (min <= orderId && orderId <= max);
}

async function holderOf(
  { store, root }: { store: ObjectStore; root: string },
  files: readonly { path: string }[],
  orderId: string,
): Promise<string> {
  for (const { path } of files) {
    if (files.length === 1) return path;
    const body = await store.get(`${root}/${path}`);
    if (body !== undefined && (await readColumns(body, ["order_id"]))["order_id"]!.includes(orderId)) return path;
  }
  throw new Error(`order ${orderId}: silver moved it to another file while it was traced; trace it again`);
}

async function addedAt(place: { store: ObjectStore; root: string }, path: string): Promise<FoundCommit | undefined> {
  return await findCommit(place, { notBefore: madeAt(path) ?? 0, holds: ({ add }) => add?.path === path });
}
