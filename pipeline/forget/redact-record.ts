import { isUtf8 } from "node:buffer";
import type { Catalog } from "../domain/catalog.ts";
import { fillings, maskBytes, redactEvent } from "../domain/redact-event.ts";
import type { StreamRecord } from "../ports.ts";
import { checkEvent, type Enrichment } from "../silver/read-events.ts";
import { rewriteRecord } from "../silver/unpack-record.ts";
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
  const data = rewriteRecord(record.data, (event) => redactEventOf(event, record, who, by));
  return data && { ...record, data };
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
  const verdictOf = (event: Uint8Array) => silverVerdict(event, record, by);
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
function silverVerdict(bytes: Uint8Array, record: StreamRecord, { catalog }: Enrichment): string {
  const checked = checkEvent(Buffer.from(bytes), record.arrivedAt * 1000, catalog);
  return "rejection" in checked ? checked.rejection.reason : valid;
}
