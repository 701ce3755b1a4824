import { bronzeKey, decodeBronze, encodeBronze, parseBronzeKey, spans } from "../bronze/bronze-object.ts";
import { type BronzeObject, listBronze } from "../bronze/list-bronze.ts";
import type { Snapshot } from "../delta/table.ts";
import { createFinder } from "../domain/redact-event.ts";
import type { ObjectStore, StreamRecord } from "../ports.ts";
import { isConsumed, takenAt } from "../silver/transactions.ts";
import { readEvents, type Enrichment, type ReadEvents } from "../silver/read-events.ts";
import { isRedacted } from "../silver/transactions.ts";
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
  /** Records that stand in the place of others, by position. */
  copies: ReadonlyMap<string, StreamRecord>;
}

/** What bronze holds of a customer, and what is to stand in its place. */
export interface BronzeRedaction extends ReadEvents {
  how: HowToRedact;
  /** The objects that change: old key to new key. */
  keys: Map<string, string>;
  /** The records that change, as they are to be. */
  records: StreamRecord[];
  /** Places (`shard/sequence number/index`) of the events that change. */
  places: Set<string>;
}

/**
 * Finds what is to be changed, in the objects that silver has taken as of a version: it would take the redacted form of any
 * other for a new object.
 */
export async function findInBronze(
  place: BronzeContext,
  { customerId, pseudonym }: { customerId: string; pseudonym: string },
  { snapshot, by }: { snapshot: Snapshot; by: Enrichment },
): Promise<BronzeRedaction> {
  const isWanted = (object: BronzeObject) => isConsumed(snapshot, object);
  const named = await findEvents(place, createFinder(customerId), { isWanted });
  const emails = new Set(named.map(({ bytes }) => emailOf(bytes, customerId)).filter((email) => email !== undefined));
  const match = matchCustomer({ customerId, emails });
  const who = { customerId, pseudonym, ...match };
  const bearing = emails.size === 0 ? [] : await findEvents(place, match.bearsEmail, { isWanted });
  const theirs = [...named, ...bearing].filter(({ bytes, record }) => redactEventOf(bytes, record, who, by));
  const affected = new Set(theirs.flatMap(({ bronzeKeys }) => bronzeKeys));
  const how = { who, by, copies: await redactedCopies(place, affected, snapshot) };
  const redaction: BronzeRedaction = {
    how,
    keys: new Map(),
    records: [],
    places: new Set(theirs.map((event) => event.place)),
    candidates: [],
    rejected: [],
  };
  const seen = new Set<string>();
  for (const key of affected) {
    const object = await redactObject(place, key, how);
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

/** A bronze object with the customer taken out, under the key of its new content and of the hour that it had. */
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

/** Writes the objects without the customer beside those with; whoever repeats it finds them there. */
export async function writeRedacted(place: BronzeContext, { keys, how }: BronzeRedaction): Promise<void> {
  for (const [key] of keys) {
    const redacted = await redactObject(place, key, how);
    await place.store.put(redacted.key, redacted.body, { ifAbsent: true });
  }
}

/**
 * The objects that others stand in the place of by now, in the order in which they may go: those whose events name the
 * customer come last, for the addresses in them lead to the rest. What is itself such another stays.
 */
export function formerObjects({ keys }: Pick<BronzeRedaction, "keys">): string[] {
  const written = new Set(keys.values());
  return [...keys.keys()].toReversed().filter((key) => !written.has(key));
}

/**
 * A record from which a customer was taken may land once more as it was. Its copy that is redacted already has to stand in
 * its place, whoever is forgotten this time: these are the copies, by position, of records in some bronze objects. Of
 * several the one that silver took first is it: a redacted object keeps the time of the one that it replaces.
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
      (a, b) => takenAt(snapshot, b) - takenAt(snapshot, a) || Number(keys.has(b.key)) - Number(keys.has(a.key)),
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
    if (body !== undefined) records.push(...(await decodeBronze(body)));
  }
  return records;
}
