import type { AddFile, Snapshot } from "../delta/table.ts";
import type { Candidate, KnownOrder } from "../domain/merge-orders.ts";
import { readColumns } from "../parquet/read-columns.ts";
import type { ObjectStore } from "../ports.ts";

const keyColumns = ["order_id", "revision", "ordered_at", "payload_hash", "shard", "sequence_number", "record_index"];

export interface KnownOrders {
  orders: Map<string, KnownOrder>;
  /** The data file that holds each order's rows, and its bytes: a rewrite need not read it again. */
  files: Map<string, { file: AddFile; body: Uint8Array }>;
  filesRead: number;
}

interface LookupContext {
  store: ObjectStore;
  root: string;
  snapshot: Snapshot;
}

/**
 * Looks up in silver what is known of the candidates' orders. Copies of an order share their date, so only its partition
 * is looked at, and there only files whose range of order ids holds one of them. Where an order may lie on another day
 * than its event says, that day is looked at too.
 */
export async function findKnown(place: LookupContext, candidates: readonly Candidate[]): Promise<KnownOrders> {
  const known: KnownOrders = { orders: new Map(), files: new Map(), filesRead: 0 };
  await lookUp(place, known, idsByDate(candidates, place.snapshot));
  await lookUp(place, known, otherDays(candidates, known.orders, place.snapshot));
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
        throw new Error(`silver file ${file.path} is named by version ${snapshot.version} but is not in the lake`);
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

/** The candidates' orders by date, of the dates that have files. */
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

/** Whether a sorted list of ids reaches into the file's range; a file without statistics may hold anything. */
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

/** Transaction ids under which silver keeps, for an order that came with a later revision first, its day since 1970. */
const aheadPrefix = "ahead/";
/** Is there once any order is; most tables need not be asked for each. */
const anyAhead = "ahead";
const dayMs = 86_400_000;

/**
 * Days on which a candidate's order may lie though its event names another one, each with those orders. A first revision
 * asks where a later one came first; a later one whose first is not known on its day may lie anywhere. The usual events,
 * a new order and the change of one that is known, ask nothing.
 */
function otherDays(
  candidates: readonly Candidate[],
  known: ReadonlyMap<string, KnownOrder>,
  { partitions, transactions }: Snapshot,
): Map<string, Set<string>> {
  const days = new Map<string, Set<string>>();
  const note = (day: string, orderId: string) => days.set(day, (days.get(day) ?? new Set()).add(orderId));
  const strays = new Set<string>();
  const isAnyAhead = transactions.has(anyAhead);
  for (const { event } of candidates) {
    if (event.revision > 0 && !known.has(event.order_id)) strays.add(event.order_id);
  }
  if (strays.size === 0 && !isAnyAhead) return days;
  for (const { event } of candidates) {
    if (event.revision > 0 || known.has(event.order_id)) continue;
    strays.delete(event.order_id);
    const ahead = isAnyAhead ? transactions.get(aheadPrefix + event.order_id) : undefined;
    if (ahead !== undefined) note(dateOf(ahead.version), event.order_id);
  }
  if (strays.size > 0) for (const day of partitions.keys()) for (const orderId of strays) note(day, orderId);
  return days;
}

/** What a commit has to remember of orders that came with a later revision first; it never expires. */
export function rememberAhead(accepted: readonly Candidate[], ahead: ReadonlySet<string>) {
  if (ahead.size === 0) return [];
  const orders = accepted.filter(({ event }) => ahead.has(event.order_id));
  return [
    { appId: anyAhead, version: 1 },
    ...orders.map(({ event, orderDate }) => ({
      appId: aheadPrefix + event.order_id,
      version: Date.parse(orderDate) / dayMs,
    })),
  ];
}

function dateOf(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
