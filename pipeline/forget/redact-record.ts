import { isUtf8 } from "node:buffer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { Catalog } from "../domain/catalog.ts";
import { fillings, maskBytes, redactEvent } from "../domain/redact-event.ts";
import type { StreamRecord } from "../ports.ts";
import { readEvents, type Enrichment } from "../silver/read-events.ts";
import { endOfLine, unpackBytes } from "../silver/unpack-record.ts";
import { parse, type CustomerMatch } from "./event-owner.ts";

/** Whom to forget, and what stands in the place of the id. */
export interface Forgotten extends CustomerMatch {
  customerId: string;
  pseudonym: string;
}

/**
 * The record with the customer taken out of its events; undefined where none is the customer's. Positions stay, and so
 * does what silver says to each event: whoever reads bronze anew comes to the same orders, to the cent.
 */
export function redactRecord(record: StreamRecord, who: Forgotten, by: Enrichment): StreamRecord | undefined {
  const unpacked = unpackBytes(record.data);
  if ("rejection" in unpacked) return undefined;
  const { bytes, isBatch } = unpacked;
  if (!isBatch) {
    const redacted = redactEventOf(bytes, record, who, by);
    return redacted && { ...record, data: redacted };
  }
  const parts: Uint8Array[] = [];
  let isChanged = false;
  for (let start = 0; start < bytes.length;) {
    const end = endOfLine(bytes, start);
    const event = bytes.subarray(start, end);
    const redacted = redactEventOf(event, record, who, by);
    isChanged ||= redacted !== undefined;
    parts.push(redacted ?? event, bytes.subarray(end, end + 1));
    start = end + 1;
  }
  return isChanged ? { ...record, data: compressAs(record.data, Buffer.concat(parts)) } : undefined;
}

/** The same bytes give the same bytes: copies of a record stay copies. */
function compressAs(original: Uint8Array, batch: Buffer): Uint8Array {
  return original[0] === 0x1f ? gzipSync(batch) : zstdCompressSync(batch);
}

/** The event that stands at some place of a record with the customer taken out; undefined where that changes nothing. */
export function redactEventOf(
  bytes: Buffer,
  record: StreamRecord,
  who: Forgotten,
  by: Enrichment,
): Uint8Array | undefined {
  if (!who.owns(bytes)) return undefined;
  const verdictOf = (event: Uint8Array) => judge(event, record, by);
  const redacted = redact(bytes, who, { catalog: by.catalog, verdictOf });
  if (redacted === undefined) {
    throw new Error(
      `the event in record ${record.sequenceNumber} of ${record.shard} would no longer be valid without the customer's data: ` +
        "see to it by hand; nothing was changed",
    );
  }
  return bytes.equals(redacted) ? undefined : redacted;
}

/** The event with the customer taken out; undefined where it would not be valid any more. */
function redact(
  bytes: Buffer,
  who: Forgotten,
  { catalog, verdictOf }: { catalog: Catalog; verdictOf: (event: Uint8Array) => string },
): Uint8Array | undefined {
  const verdict = verdictOf(bytes);
  const [text, isText] = [bytes.toString("utf8"), isUtf8(bytes)];
  const { isPersonal } = verdict === valid ? {} : who;
  if (isText && parse(bytes) !== undefined) {
    for (const filling of fillings) {
      const redacted = Buffer.from(redactEvent(text, who, { catalog, filling, ...(isPersonal && { isPersonal }) }));
      if (verdictOf(redacted) === verdict) return redacted;
    }
  }
  return verdict === valid ? undefined : maskBytes(bytes, { isUtf8: isText, isPersonal: who.isPersonal });
}

const valid = "valid";

/** What silver says to an event that stands in a record by itself: valid, or the reason of its refusal. */
function judge(bytes: Uint8Array, record: StreamRecord, by: Enrichment): string {
  const { rejected } = readEvents([{ ...record, data: bytes }], "", by);
  return rejected[0]?.reason ?? valid;
}
