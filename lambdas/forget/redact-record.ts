import { isUtf8 } from "node:buffer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { maskBytes, redactEvent } from "../domain/redact-event.ts";
import type { StreamRecord } from "../ports.ts";
import { readEvents, type Enrichment } from "../silver/read-events.ts";
import { endOfLine, unpackBytes } from "../silver/unpack-record.ts";

/** Whom to forget, and what stands in the place of the id. */
export interface Forgotten {
  customerId: string;
  pseudonym: string;
  /** The e-mail addresses that the customer's valid events bear. */
  emails: ReadonlySet<string>;
}

/**
 * The record with the customer taken out of its events; undefined where none is the customer's. Positions stay, and so
 * does what silver says to each event: whoever reads bronze anew comes to the same orders, to the cent.
 */
export function redactRecord(record: StreamRecord, who: Forgotten, by: Enrichment): StreamRecord | undefined {
  const unpacked = unpackBytes(record.data);
  if ("refusal" in unpacked) return undefined;
  const { bytes, isBatch } = unpacked;
  if (!isBatch) {
    const redacted = redactIfTheirs(bytes, record, who, by);
    return redacted && { ...record, data: redacted };
  }
  const parts: Uint8Array[] = [];
  let isChanged = false;
  for (let start = 0; start < bytes.length;) {
    const end = endOfLine(bytes, start);
    const event = bytes.subarray(start, end);
    const redacted = redactIfTheirs(event, record, who, by);
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

function redactIfTheirs(bytes: Buffer, record: StreamRecord, who: Forgotten, by: Enrichment): Uint8Array | undefined {
  if (!isTheirs(bytes, who)) return undefined;
  const verdict = judge(bytes, record, by);
  const masked = maskBytes(bytes, { isUtf8: isUtf8(bytes) });
  const redacted = redactText(bytes, who);
  if (redacted !== undefined && judge(redacted, record, by) === verdict) return redacted;
  if (verdict !== valid) return masked;
  throw new Error(
    `the event in record ${record.sequenceNumber} of ${record.shard} would no longer be valid without the customer's data: ` +
      "see to it by hand; nothing was changed",
  );
}

function redactText(bytes: Buffer, who: Forgotten): Buffer | undefined {
  const text = bytes.toString("utf8");
  return isUtf8(bytes) && parse(text) !== undefined ? Buffer.from(redactEvent(text, who)) : undefined;
}

/**
 * An event that says whose it is belongs to that customer; where it does not, because it is damaged or lacks the field, it
 * is taken for the customer's if it bears the id or one of the addresses.
 */
export function isTheirs(bytes: Buffer, { customerId, emails }: Omit<Forgotten, "pseudonym">): boolean {
  const needles = [customerId, ...emails].filter((needle) => bytes.indexOf(needle) !== -1);
  if (needles.length === 0) return false;
  const owner = ownerOf(bytes);
  if (owner !== undefined) return owner === customerId;
  return needles.some((needle) => bytes.indexOf(JSON.stringify(needle)) !== -1 || emails.has(needle));
}

/** The customer that an event names; undefined where it names none, or cannot be read. */
function ownerOf(bytes: Buffer): string | undefined {
  const { customer } = Object(parse(bytes.toString("utf8"))) as { customer?: unknown };
  const { customer_id } = Object(customer) as { customer_id?: unknown };
  return typeof customer_id === "string" ? customer_id : undefined;
}

/** The e-mail address of an event that names this customer. */
export function emailOf(bytes: Buffer, customerId: string): string | undefined {
  if (ownerOf(bytes) !== customerId) return undefined;
  const { email } = (parse(bytes.toString("utf8")) as { customer: { email?: unknown } }).customer;
  return typeof email === "string" && email.includes("@") ? email : undefined;
}

const valid = "valid";

/** What silver says to an event that stands in a record by itself: valid, or the reason of its refusal. */
function judge(bytes: Uint8Array, record: StreamRecord, by: Enrichment): string {
  const { refused } = readEvents([{ ...record, data: bytes }], "", by);
  return refused[0]?.reason ?? valid;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
