import { isUtf8 } from "node:buffer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { Catalog } from "../domain/catalog.ts";
import { fillings, maskBytes, redactEvent } from "../domain/redact-event.ts";
import type { StreamRecord } from "../ports.ts";
import { readEvents, type Enrichment } from "../silver/read-events.ts";
import { endOfLine, unpackBytes } from "../silver/unpack-record.ts";
import { parse, type CustomerMatch } from "./event-owner.ts";

/** The customer to forget, and the pseudonym that replaces the id. */
export interface Forgotten extends CustomerMatch {
  customerId: string;
  pseudonym: string;
}

/**
 * Redacts a customer's events in a record; undefined if the record has none. Positions stay the same, and so does
 * silver's verdict on each event, so that a rebuild from bronze produces the same orders, to the cent.
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

/** Compresses a batch like the original; deterministic, so that copies of a record stay equal. */
function compressAs(original: Uint8Array, batch: Buffer): Uint8Array {
  return original[0] === 0x1f ? gzipSync(batch) : zstdCompressSync(batch);
}

/**
 * Redacts one event of a record; undefined if it is not the customer's or does not change. Throws if it would be
 * invalid.
 */
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
      `event in record ${record.sequenceNumber} of ${record.shard} would no longer be valid without the customer's data: ` +
        "redact it manually; nothing was changed",
    );
  }
  return bytes.equals(redacted) ? undefined : redacted;
}

/** Returns the redacted event; undefined if it would no longer be valid. */
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

/** Returns silver's verdict on a single event: "valid", or the reason code of its rejection. */
function judge(bytes: Uint8Array, record: StreamRecord, by: Enrichment): string {
  const { rejected } = readEvents([{ ...record, data: bytes }], "", by);
  return rejected[0]?.reason ?? valid;
}
