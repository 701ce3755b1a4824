import { isUtf8 } from "node:buffer";
import { decodeBronze } from "../bronze/bronze-object.ts";
import type { Catalog } from "../domain/catalog.ts";
import { maskBytes, redactEvent } from "../domain/redact-event.ts";
import type { EventPosition } from "../domain/stream-position.ts";
import type { ObjectStore } from "../ports.ts";
import { unpackRecord } from "../silver/unpack-record.ts";

/** The bytes of one event as they are in bronze. */
export interface RawEvent {
  /** base64 */
  bytes: string;
  /** Bytes of the event. */
  length: number;
  /** Bytes of the stream record that holds it, as landed. */
  recordBytes: number;
  /** Events in that record. */
  recordEvents: number;
  /** Arrival time in the stream, ISO 8601 in UTC. */
  arrivedAt: string;
  /** Whether personal values are replaced by `x`. */
  isMasked: boolean;
}

/**
 * Reads one event from the bronze object that holds its record. Throws if the object does not exist, or does not hold
 * the event. Personal values are masked unless `isPersonal`.
 */
export async function readEvent(
  { store, catalog }: { store: ObjectStore; catalog: Catalog },
  { bronzeKey, isPersonal, ...position }: EventPosition & { bronzeKey: string; isPersonal: boolean },
): Promise<RawEvent> {
  const body = await store.get(bronzeKey);
  if (body === undefined) throw new Error(`bronze object ${bronzeKey} does not exist`);
  const { shard, sequenceNumber, recordIndex } = position;
  const record = (await decodeBronze(body)).find(
    (held) => held.shard === shard && held.sequenceNumber === sequenceNumber,
  );
  const events = record === undefined ? [] : unpackRecord(record.data);
  const event = events.find(({ index }) => index === recordIndex);
  if (record === undefined || event === undefined) {
    throw new Error(`bronze object ${bronzeKey} does not hold event ${recordIndex} of record ${sequenceNumber}`);
  }
  const bytes = Buffer.from(event.bytes);
  return {
    bytes: (isPersonal ? bytes : maskEvent(bytes, catalog)).toString("base64"),
    length: bytes.length,
    recordBytes: record.data.length,
    recordEvents: events.length,
    arrivedAt: new Date(record.arrivedAt).toISOString(),
    isMasked: !isPersonal,
  };
}

/** Replaces every value of an event that may be personal by as many `x`. */
export function maskEvent(bytes: Buffer, catalog: Catalog): Buffer {
  const isText = isUtf8(bytes);
  if (isText) {
    try {
      JSON.parse(bytes.toString("utf8"));
      const hidden = { customerId: "", pseudonym: "" };
      const filling = { text: (value: string) => "x".repeat(Math.max(1, value.length)), number: "0" };
      return Buffer.from(redactEvent(bytes.toString("utf8"), hidden, { catalog, filling }));
    } catch {
      // Not JSON: masked byte by byte.
    }
  }
  return Buffer.from(maskBytes(bytes, { isUtf8: isText }));
}
