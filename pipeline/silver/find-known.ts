import type { AddFile, Snapshot } from "../delta/table.ts";
import type { Candidate, KnownOrder } from "../domain/merge-orders.ts";
import { readColumns } from "../parquet/read-columns.ts";
import type { ObjectStore } from "../ports.ts";
import { dayAhead, isAnyAhead } from "./transactions.ts";

const keyColumns = ["order_id", "revision", "ordered_at", "payload_hash", "shard", "sequence_number", "record_index"];

/** What silver holds of some orders, by order id. */
export interface KnownOrders {
  orders: Map<string, KnownOrder>;
  /** The data file with the order's rows and its bytes, so that a rewrite does not read it again. */
  files: Map<string, { file: AddFile; body: Uint8Array }>;
  filesRead: number;
}

interface LookupContext {
  store: ObjectStore;
  root: string;
  snapshot: Snapshot;
}

/**
 * Looks up what silver already holds of the candidates' orders. Copies of an order share its date, so the lookup reads
 * only that partition, and in it only files whose `order_id` range can hold a candidate. It reads another partition
 * only if an order may be stored under a different day than its event names. Throws if a data file is missing.
 */
export async function findKnown(context: LookupContext, candidates: readonly Candidate[]): Promise<KnownOrders> {
  const known: KnownOrders = { orders: new Map(), files: new Map(), filesRead: 0 };
  await lookUp(context, known, idsByDate(candidates, context.snapshot));
  await lookUp(context, known, otherDays(candidates, known.orders, context.snapshot));
  return known;
}

async function lookUp(
  { store, root, snapshot }: LookupContext,
  known: KnownOrders,
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<void> {
  for (const [date, ids] of wanted) {
    const sorted = [...ids].toSorted(byText);
    for (const file of snapshot.partitions.get(date) ?? []) {
      if (!holdsAny(file, sorted)) continue;
      const body = await store.get(`${root}/${file.path}`);
      if (body === undefined) {
        throw new Error(`silver file ${file.path} is in version ${snapshot.version} of the log but not in the lake`);
      }
      known.filesRead++;
      await readOrders(known, { file, body, date }, ids);
    }
  }
}

async function readOrders(
  known: KnownOrders,
  { date, ...holder }: { file: AddFile; body: Uint8Array; date: string },
  ids: ReadonlySet<string>,
) {
  const columns = await readColumns(holder.body, keyColumns);
  for (const [row, orderId] of (columns["order_id"] as string[]).entries()) {
    if (!ids.has(orderId) || known.files.get(orderId)?.file === holder.file) continue;
    known.files.set(orderId, holder);
    known.orders.set(orderId, {
      revision: columns["revision"]![row] as number,
      orderDate: date,
      orderedAt: Number(columns["ordered_at"]![row]),
      payloadHash: columns["payload_hash"]![row] as bigint,
      position: {
        shard: columns["shard"]![row] as string,
        sequenceNumber: columns["sequence_number"]![row] as string,
        recordIndex: columns["record_index"]![row] as number,
      },
    });
  }
}

/** Groups the candidates' order ids by date, for the dates that have a partition. */
function idsByDate(candidates: readonly Candidate[], { partitions }: Snapshot): Map<string, Set<string>> {
  const dates = new Map<string, Set<string> | undefined>();
  for (const { orderDate, event } of candidates) {
    let ids = dates.get(orderDate);
    if (ids === undefined && !dates.has(orderDate)) {
      dates.set(orderDate, (ids = partitions.has(orderDate) ? new Set() : undefined));
    }
    ids?.add(event.order_id);
  }
  return new Map([...dates].filter((entry): entry is [string, Set<string>] => entry[1] !== undefined));
}

/** Whether any of the sorted ids is within the file's `order_id` range; a file without statistics may hold any id. */
function holdsAny({ stats }: AddFile, sorted: readonly string[]): boolean {
  const min = stats?.minValues["order_id"];
  const max = stats?.maxValues["order_id"];
  if (typeof min !== "string" || typeof max !== "string") return true;
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < min) low = middle + 1;
    else high = middle;
  }
  return low < sorted.length && sorted[low]! <= max;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Returns the days that may hold a candidate's order although its event names another day, each with those order ids.
 * A first revision checks whether a later one arrived before it. A later revision may be stored under any day if its
 * order is not found on its own day. The usual events (a new order, a change of a known order) cost no lookup.
 */
function otherDays(
  candidates: readonly Candidate[],
  known: ReadonlyMap<string, KnownOrder>,
  snapshot: Snapshot,
): Map<string, Set<string>> {
  const days = new Map<string, Set<string>>();
  const note = (day: string, orderId: string) => days.set(day, (days.get(day) ?? new Set()).add(orderId));
  const strays = new Set<string>();
  const { partitions } = snapshot;
  const mayBeAhead = isAnyAhead(snapshot);
  for (const { event } of candidates) {
    if (event.revision > 0 && !known.has(event.order_id)) strays.add(event.order_id);
  }
  if (strays.size === 0 && !mayBeAhead) return days;
  for (const { event } of candidates) {
    if (event.revision > 0 || known.has(event.order_id)) continue;
    strays.delete(event.order_id);
    const ahead = mayBeAhead ? dayAhead(snapshot, event.order_id) : undefined;
    if (ahead !== undefined) note(ahead, event.order_id);
  }
  if (strays.size > 0) for (const day of partitions.keys()) for (const orderId of strays) note(day, orderId);
  return days;
}
