import { isUtf8 } from "node:buffer";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import type { FaultKind } from "./fault-kinds.ts";

/** Batching of events into records: NDJSON compressed with zstd or gzip, or one event per record. */
export type Batching = "zstd" | "gzip" | "off";

/** An open batch. */
export interface BatchBuilder {
  /** Number of events in the batch. */
  readonly events: number;
  /** True if no further event fits. */
  readonly isFull: boolean;
  /** Whether the event fits. */
  fits(bytes: Uint8Array): boolean;
  add(bytes: Uint8Array): void;
  /** Returns the events, joined by newlines and compressed, and empties the builder. */
  take(): Uint8Array;
}

const newline = 0x0a;
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** Whether an event may be batched: it must be one NDJSON line and valid UTF-8, or it would damage the other events. */
export function isBatchable(bytes: Uint8Array): boolean {
  return bytes.length > 0 && !bytes.includes(newline) && isUtf8(bytes);
}

/** Creates a builder of batches with at most `batchBytes` bytes (before compression) and `batchEvents` events. */
export function createBatchBuilder({
  batchBytes,
  batchEvents,
  compression,
}: {
  batchBytes: number;
  batchEvents: number;
  compression: "zstd" | "gzip";
}): BatchBuilder {
  const buffer = new Uint8Array(batchBytes);
  let length = 0;
  let events = 0;
  return {
    get events() {
      return events;
    },
    get isFull() {
      return events >= batchEvents || length >= batchBytes;
    },
    fits: (bytes) => events < batchEvents && length + (events === 0 ? 0 : 1) + bytes.length <= batchBytes,
    add(bytes) {
      if (events > 0) buffer[length++] = newline;
      buffer.set(bytes, length);
      length += bytes.length;
      events++;
    },
    take() {
      const text = buffer.subarray(0, length);
      length = 0;
      events = 0;
      return compression === "zstd" ? zstdCompressSync(text, zstdOptions) : gzipSync(text);
    },
  };
}

/** An event as sent by a till. */
export interface Outgoing {
  producerId: string;
  /** The event as UTF-8 JSON, unless a fault has changed it. */
  bytes: Uint8Array;
  /** The injected fault. */
  fault?: FaultKind;
}

/** Encodes an order event. */
export function toOutgoing(event: OrderEvent, fault?: FaultKind): Outgoing {
  const bytes = Buffer.from(JSON.stringify(event));
  const { producer_id: producerId } = event.producer;
  return fault === undefined ? { producerId, bytes } : { producerId, bytes, fault };
}
