import type { OutgoingRecord } from "../pipeline/ports.ts";
import { createBatchBuilder, isBatchable, type BatchBuilder, type Batching, type Outgoing } from "./batch-builder.ts";
import { hash32 } from "./random.ts";

/** A record that waits for its turn, and how many events it carries. */
export interface QueuedRecord {
  record: OutgoingRecord;
  events: number;
}

/** A queue whose records go out strictly one after the other; all events of one till are in one lane. */
export interface InFlightSlot {
  /** Closed records, the first being sent or next. */
  queue: QueuedRecord[];
  /** Attempts to send the first record that have failed. */
  attempts: number;
  /** True while its first record is out, or waits to be tried again. */
  busy: boolean;
  /** Takes an event in; whole records move to the queue. */
  add(outgoing: Outgoing): void;
  /** Moves what is under way to the queue, if there is anything. */
  close(): void;
  /** Names the batch under way, so that a timer closes no other; undefined where none is. */
  openBatch(): number | undefined;
}

/** Without batching every event is a record, and order is kept by lanes that are no shards. */
const lanesWithoutBatching = 500;

export interface InFlightOptions {
  batch: Batching;
  batchBytes: number;
  batchEvents: number;
  shards: number;
}

/** One lane for each shard, or many narrow ones without batching. */
export function createInFlightSlots({ batch, batchBytes, batchEvents, shards }: InFlightOptions): InFlightSlot[] {
  if (batch === "off") return Array.from({ length: lanesWithoutBatching }, () => createSingleLane());
  return Array.from({ length: shards }, (_, index) =>
    createBatchLane(createBatchBuilder({ batchBytes, batchEvents, compression: batch }), {
      partitionKey: `lane-${index}`,
      explicitHashKey: middleOfRange(index, shards),
    }),
  );
}

/** The lane's index: the same for a till as long as the number of lanes is. */
export function slotOf(producerId: string, slots: number): number {
  return hash32(producerId) % slots;
}

/** The middle of the lane's part of the hash keys, 0 to 2^128. */
function middleOfRange(index: number, slots: number): string {
  return String(((2n * BigInt(index) + 1n) << 127n) / BigInt(slots));
}

function createBatchLane(builder: BatchBuilder, keys: Omit<OutgoingRecord, "data">): InFlightSlot {
  const queue: QueuedRecord[] = [];
  let batches = 0;
  function close(): void {
    const { events } = builder;
    if (events > 0) queue.push({ record: { ...keys, data: builder.take() }, events });
    batches++;
  }
  return {
    queue,
    attempts: 0,
    busy: false,
    close,
    openBatch: () => (builder.events > 0 ? batches : undefined),
    add({ bytes }) {
      const isAlone = !isBatchable(bytes);
      if (isAlone || !builder.fits(bytes)) close();
      // An event that no batch can hold goes alone as well.
      if (isAlone || !builder.fits(bytes)) queue.push({ record: { ...keys, data: bytes }, events: 1 });
      else builder.add(bytes);
      if (builder.isFull) close();
    },
  };
}

function createSingleLane(): InFlightSlot {
  const queue: QueuedRecord[] = [];
  return {
    queue,
    attempts: 0,
    busy: false,
    close: () => {},
    openBatch: () => undefined,
    add(outgoing) {
      queue.push({ record: { partitionKey: orderIdOf(outgoing), data: outgoing.bytes }, events: 1 });
    },
  };
}

/** The order's id, or the till's name where the bytes do not tell one that could be a partition key. */
function orderIdOf({ bytes, producerId }: Outgoing): string {
  try {
    const event: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const id = typeof event === "object" && event !== null && "order_id" in event ? event.order_id : undefined;
    return typeof id === "string" && id.length > 0 && id.length <= 256 ? id : producerId;
  } catch {
    return producerId;
  }
}
