import { isUtf8 } from "node:buffer";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import type { FaultKind } from "./fault-kinds.ts";

/** How events share a record: NDJSON compressed with zstd or gzip, or not at all. */
export type Batching = "zstd" | "gzip" | "off";

/** A batch under way. */
export interface BatchBuilder {
  /** Events in it. */
  readonly events: number;
  /** True where no event goes in any more. */
  readonly isFull: boolean;
  /** True where the event still goes in. */
  fits(bytes: Uint8Array): boolean;
  add(bytes: Uint8Array): void;
  /** The events so far, joined by newlines and compressed; the builder is empty afterwards. */
  take(): Uint8Array;
}

const newline = 0x0a;
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** Whether an event may share a record: on its own line it must stay one event, and its bytes must not spoil the others'. */
export function isBatchable(bytes: Uint8Array): boolean {
  return bytes.length > 0 && !bytes.includes(newline) && isUtf8(bytes);
}

/** Collects up to `batchBytes` bytes (before compression) and `batchEvents` events. */
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

/** One event's bytes on their way out of a till. */
export interface Outgoing {
  producerId: string;
  /** The event as JSON in UTF-8, or what a fault has made of it. */
  bytes: Uint8Array;
  /** What was done to it. */
  fault?: FaultKind;
}

/** An order event as the bytes that the till sends. */
export function toOutgoing(event: OrderEvent, fault?: FaultKind): Outgoing {
  const bytes = Buffer.from(JSON.stringify(event));
  const { producer_id: producerId } = event.producer;
  return fault === undefined ? { producerId, bytes } : { producerId, bytes, fault };
}
