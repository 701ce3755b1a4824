import type { AddFile, Snapshot } from "../delta/table.ts";
import type { Candidate, KnownOrder } from "../domain/merge-orders.ts";
import { OrderMap } from "../domain/order-map.ts";
import { readColumns } from "../parquet/read-columns.ts";
import type { ObjectStore } from "../ports.ts";

const keyColumns = [
  "order_id",
  "store_id",
  "revision",
  "ordered_at",
  "emitted_at",
  "arrived_at",
  "producer_seq",
  "payload_hash",
  "shard",
  "sequence_number",
  "record_index",
];

/** What silver holds of some orders. */
export interface KnownOrders {
  orders: OrderMap<KnownOrder>;
  /** The data file with the order's rows and its bytes, so that a rewrite does not read it again. */
  files: OrderMap<DataFile>;
  filesRead: number;
}

interface DataFile {
  file: AddFile;
  body: Uint8Array;
}

interface LookupContext {
  store: ObjectStore;
  root: string;
  snapshot: Snapshot;
}

/**
 * Looks up what silver already holds of the candidates' orders. The business date is part of an order's name, so the
 * lookup reads only that partition, and in it only files whose `order_id` range can hold a candidate. Throws if a data
 * file is missing.
 */
export async function findKnown(
  { store, root, snapshot }: LookupContext,
  candidates: readonly Candidate[],
): Promise<KnownOrders> {
  const known: KnownOrders = { orders: new OrderMap(), files: new OrderMap(), filesRead: 0 };
  for (const [date, ids] of idsByDate(candidates, snapshot)) {
    const sorted = [...ids].toSorted(byText);
    for (const file of snapshot.partitions.get(date) ?? []) {
      if (!holdsAny(file, sorted)) continue;
      const body = await store.get(`${root}/${file.path}`);
      if (body === undefined) {
        throw new Error(`silver file ${file.path} is in version ${snapshot.version} of the log but not in the lake`);
      }
      known.filesRead++;
      await readOrders(known, { holder: { file, body }, date }, ids);
    }
  }
  return known;
}

async function readOrders(
  known: KnownOrders,
  { holder, date }: { holder: DataFile; date: string },
  ids: ReadonlySet<string>,
) {
  const columns = await readColumns(holder.body, keyColumns);
  for (const [row, orderId] of (columns["order_id"] as string[]).entries()) {
    if (!ids.has(orderId)) continue;
    const order = { orderDate: date, storeId: columns["store_id"]![row] as string, orderId };
    if (known.files.get(order)?.file === holder.file) continue;
    known.files.set(order, holder);
    known.orders.set(order, {
      revision: columns["revision"]![row] as number,
      orderedAt: Number(columns["ordered_at"]![row]),
      emittedAt: Number(columns["emitted_at"]![row]),
      arrivedAt: Number(columns["arrived_at"]![row]),
      producerSeq: Number(columns["producer_seq"]![row]),
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
