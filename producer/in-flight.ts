import type { OutgoingRecord } from "../pipeline/ports.ts";
import { createBatchBuilder, isBatchable, type BatchBuilder, type Batching, type Outgoing } from "./batch-builder.ts";
import { hash32 } from "./random.ts";

/** A record to send and its number of events. */
export interface QueuedRecord {
  record: OutgoingRecord;
  events: number;
}

/** A queue with at most one record in flight; all events of a till are in the same slot, which keeps their order. */
export interface InFlightSlot {
  /** Complete records; the first is in flight or next. */
  queue: QueuedRecord[];
  /** Failed attempts to send the first record. */
  attempts: number;
  /** True while the first record is in flight or waits for a retry. */
  busy: boolean;
  /** Adds an event; complete records move to the queue. */
  add(outgoing: Outgoing): void;
  /** Moves the open batch to the queue, if there is one. */
  close(): void;
  /** Identifies the open batch, so that a linger timer closes no later one; undefined if there is none. */
  openBatch(): number | undefined;
}

/** Without batching every event is a record, and slots independent of the shards keep the order. */
const slotsWithoutBatching = 500;

export interface InFlightOptions {
  batch: Batching;
  batchBytes: number;
  batchEvents: number;
  shards: number;
}

/** One slot per shard, or a fixed number without batching. */
export function createInFlightSlots({ batch, batchBytes, batchEvents, shards }: InFlightOptions): InFlightSlot[] {
  if (batch === "off") return Array.from({ length: slotsWithoutBatching }, () => createEventSlot());
  return Array.from({ length: shards }, (_, index) =>
    createBatchSlot(createBatchBuilder({ batchBytes, batchEvents, compression: batch }), {
      partitionKey: `lane-${index}`,
      explicitHashKey: middleOfRange(index, shards),
    }),
  );
}

/** Slot index of a till, constant for a given number of slots. */
export function slotOf(producerId: string, slots: number): number {
  return hash32(producerId) % slots;
}

/** The middle of the slot's share of the hash key space, 0 to 2^128. */
function middleOfRange(index: number, slots: number): string {
  return String(((2n * BigInt(index) + 1n) << 127n) / BigInt(slots));
}

function createBatchSlot(builder: BatchBuilder, keys: Omit<OutgoingRecord, "data">): InFlightSlot {
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
      // An event larger than a batch is also sent alone.
      if (isAlone || !builder.fits(bytes)) queue.push({ record: { ...keys, data: bytes }, events: 1 });
      else builder.add(bytes);
      if (builder.isFull) close();
    },
  };
}

function createEventSlot(): InFlightSlot {
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

/** The order id as partition key, or the till's name if the bytes have no valid one. */
function orderIdOf({ bytes, producerId }: Outgoing): string {
  try {
    const event: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const id = typeof event === "object" && event !== null && "order_id" in event ? event.order_id : undefined;
    return typeof id === "string" && id.length > 0 && id.length <= 256 ? id : producerId;
  } catch {
    return producerId;
  }
}
