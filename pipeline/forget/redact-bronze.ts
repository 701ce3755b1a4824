import { bronzeKey, decodeBronze, encodeBronze, parseBronzeKey, spans } from "../bronze/bronze-object.ts";
import { type BronzeObject, listBronze } from "../bronze/list-bronze.ts";
import type { Snapshot } from "../delta/table.ts";
import { createFinder } from "../domain/redact-event.ts";
import type { ObjectStore, StreamRecord } from "../ports.ts";
import { isConsumed, isRedacted, keysSetAside, consumedAt } from "../silver/transactions.ts";
import { readEvents, type Enrichment, type ReadEvents } from "../silver/read-events.ts";
import { findEvents } from "../trace/find-events.ts";
import { matchCustomer, emailOf } from "./event-owner.ts";
import { redactEventOf, redactRecord, type Forgotten } from "./redact-record.ts";
import { hourStart } from "../domain/dates.ts";
import { recordPosition } from "../domain/stream-position.ts";

interface BronzeContext {
  store: ObjectStore;
  stream: string;
}

interface HowToRedact {
  who: Forgotten;
  by: Enrichment;
  /** Already redacted copies of records, by position; they replace the originals. */
  copies: ReadonlyMap<string, StreamRecord>;
}

/** A customer's data in bronze and its redacted replacement. */
export interface BronzeRedaction extends Omit<ReadEvents, "bytes"> {
  how: HowToRedact;
  /** The objects that change: old key to new key. */
  keys: Map<string, string>;
  /** The records that change, in their redacted form. */
  records: StreamRecord[];
  /** Stream positions (`shard/sequence number/index`) of the events that change. */
  positions: Set<string>;
  /** Keys of the objects that were not searched: they are set aside, or cannot be decoded. */
  unread: Set<string>;
}

/**
 * Finds the objects, records and events to redact. It considers only objects that silver has consumed as of a version,
 * because silver would treat the redacted form of any other object as a new one.
 */
export async function findInBronze(
  context: BronzeContext,
  { customerId, pseudonym }: { customerId: string; pseudonym: string },
  { snapshot, by }: { snapshot: Snapshot; by: Enrichment },
): Promise<BronzeRedaction> {
  const unread = new Set(keysSetAside(snapshot));
  const search = {
    isWanted: (object: BronzeObject) => isConsumed(snapshot, object),
    onDamage: (key: string) => unread.add(key),
  };
  const named = await findEvents(context, createFinder(customerId), search);
  const emails = new Set(named.map(({ bytes }) => emailOf(bytes, customerId)).filter((email) => email !== undefined));
  const match = matchCustomer({ customerId, emails });
  const who = { customerId, pseudonym, ...match };
  const bearing = emails.size === 0 ? [] : await findEvents(context, match.bearsEmail, search);
  const theirs = [...named, ...bearing].filter(({ bytes, record }) => redactEventOf(bytes, record, who, by));
  const affected = new Set(theirs.flatMap(({ bronzeKeys }) => bronzeKeys));
  const how = { who, by, copies: await redactedCopies(context, affected, snapshot) };
  const redaction: BronzeRedaction = {
    how,
    keys: new Map(),
    records: [],
    positions: new Set(theirs.map((event) => event.position)),
    unread,
    candidates: [],
    rejected: [],
  };
  const seen = new Set<string>();
  for (const key of affected) {
    const object = await redactObject(context, key, how);
    redaction.keys.set(key, object.key);
    for (const record of object.changed) {
      if (seen.has(recordPosition(record))) continue;
      seen.add(recordPosition(record));
      redaction.records.push(record);
      const { candidates, rejected } = readEvents([record], object.key, by);
      redaction.candidates.push(...candidates);
      redaction.rejected.push(...rejected);
    }
  }
  return redaction;
}

/** Returns a redacted bronze object, under the key of its new content and its original hour. */
async function redactObject({ store, stream }: BronzeContext, key: string, { who, by, copies }: HowToRedact) {
  const body = await store.get(key);
  if (body === undefined) throw new Error(`bronze object ${key} was listed but cannot be read`);
  const changed: StreamRecord[] = [];
  const records = (await decodeBronze(body)).map((record) => {
    const copy = copies.get(recordPosition(record)) ?? record;
    const redacted = redactRecord(copy, who, by) ?? copy;
    if (Buffer.compare(redacted.data, record.data) === 0) return record;
    changed.push(redacted);
    return redacted;
  });
  const encoded = encodeBronze(stream, records);
  const landedAt = hourStart(parseBronzeKey(key)!.hour);
  return { key: bronzeKey({ stream, records, body: encoded, landedAt }), body: encoded, changed };
}

/** Writes the redacted objects in addition to the original ones; idempotent. */
export async function writeRedacted(context: BronzeContext, { keys, how }: BronzeRedaction): Promise<void> {
  for (const [key] of keys) {
    const redacted = await redactObject(context, key, how);
    await context.store.put(redacted.key, redacted.body, { ifAbsent: true });
  }
}

/**
 * Returns the keys of the replaced objects, in the order in which to delete them. Objects whose events name the
 * customer come last, because a retry needs their email addresses to find the rest. An object that is itself a
 * replacement stays.
 */
export function formerObjects({ keys }: Pick<BronzeRedaction, "keys">): string[] {
  const written = new Set(keys.values());
  return [...keys.keys()].toReversed().filter((key) => !written.has(key));
}

/**
 * Returns the redacted copies of records in some bronze objects, by position. A record that was redacted earlier may
 * land again in its original form; the redacted copy must replace it, whichever customer is forgotten now. Of several
 * copies, the one that silver consumed first is the redacted one, because a redacted object keeps the time of its
 * original.
 */
async function redactedCopies(
  { store, stream }: { store: ObjectStore; stream: string },
  keys: ReadonlySet<string>,
  snapshot: Snapshot,
): Promise<Map<string, StreamRecord>> {
  const copies = new Map<string, StreamRecord>();
  const wanted = (await readAll(store, keys)).filter((record) => isRedacted(snapshot, recordPosition(record)));
  if (wanted.length === 0) return copies;
  const positions = new Set(wanted.map(recordPosition));
  const holders = (await listBronze(store, stream))
    .filter((object) => isConsumed(snapshot, object) && wanted.some((record) => spans(object, record)))
    .toSorted(
      (a, b) => consumedAt(snapshot, b) - consumedAt(snapshot, a) || Number(keys.has(b.key)) - Number(keys.has(a.key)),
    );
  for (const record of await readAll(store, new Set(holders.map(({ key }) => key)))) {
    if (positions.has(recordPosition(record))) copies.set(recordPosition(record), record);
  }
  return copies;
}

async function readAll(store: ObjectStore, keys: ReadonlySet<string>): Promise<StreamRecord[]> {
  const records = [];
  for (const key of keys) {
    const body = await store.get(key);
    // A copy in a damaged object cannot be found, and the search for the customer has reported the object.
    if (body !== undefined) records.push(...(await decodeBronze(body).catch(() => [])));
  }
  return records;
}
