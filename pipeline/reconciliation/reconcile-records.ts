import { hash } from "node:crypto";
import { decodeBronze, spans } from "../bronze/bronze-object.ts";
import { listBronze, type BronzeObject } from "../bronze/list-bronze.ts";
import type { Findings } from "../domain/receipt.ts";
import type { Snapshot } from "../delta/table.ts";
import type { ObjectStore, StreamRecord, OnProgress } from "../ports.ts";
import { listSetAside } from "../silver/set-aside.ts";
import { isRedacted, judgedRecords } from "../silver/transactions.ts";
import { recordPosition } from "../domain/stream-position.ts";

/** What the stream retains, and how far landing has read it. */
export interface StreamContents {
  /** Whether the stream retains every record it ever accepted; if not, bronze may legitimately hold more. */
  isComplete: boolean;
  /** Yields every retained record, shard by shard; damage ends its shard and is reported to `onDamage`. */
  records(onDamage?: (sentence: string) => void): AsyncIterable<StreamRecord>;
  /** Whether the record is behind landing's checkpoint: it must then be in bronze or in the on-failure store. */
  isConfirmed(record: StreamRecord): boolean;
  /**
   * Returns the positions (`shard/sequence number`) in the on-failure store, and the keys of unreadable objects there.
   */
  onFailure(): Promise<{ positions: Set<string>; unreadable: string[] }>;
}

/** A stream record as read from bronze. */
export interface LandedRecord extends StreamRecord {
  bronzeKey: string;
  /** Whether silver has judged it. */
  isConsumed: boolean;
}

/**
 * Reads every bronze object, passes each distinct record once to `onRecord`, and compares the records with the stream.
 * Consumed objects come first, then begun ones, then pending ones, each in key order. An object that is set aside is a
 * finding and is not read, because reading it has ended runs. Returns the record counts of the receipt.
 */
export async function reconcileRecords(
  {
    store,
    stream,
    snapshot,
    streamContents,
    onProgress = () => {},
  }: {
    store: ObjectStore;
    stream: string;
    snapshot: Snapshot;
    streamContents: StreamContents;
    onProgress?: OnProgress | undefined;
  },
  onRecord: (record: LandedRecord) => void,
  findings: Findings,
) {
  const digests = new Map<string, string>();
  let landed = 0;
  const setAside = new Map((await listSetAside(store, snapshot)).map((object) => [object.key, object]));
  const listed = await listBronze(store, stream);
  const unread = listed.filter(({ key }) => setAside.has(key));
  for (const { key, count } of unread) {
    const reason = setAside.get(key)!.reason ?? "reason unknown";
    findings.add(
      "every event has one place",
      "bronze objects are set aside, and their events are not in silver: see ./pizza retry",
      `${key}: ${count} records; ${reason}`,
    );
  }
  const objects = listed.filter(({ key }) => !setAside.has(key));
  const judged = objects
    .map((object) => ({ object, judged: judgedRecords(snapshot, object) }))
    .toSorted((one, other) => rankOf(one.judged) - rankOf(other.judged));
  for (const [index, { object, judged: most }] of judged.entries()) {
    onProgress(index, judged.length, "bronze objects");
    const records = await readObject(store, object, findings);
    if (records.length !== object.count) {
      findings.add(
        "bronze is whole",
        "bronze objects hold a different number of records than their key says",
        object.key,
      );
    }
    landed += records.length;
    for (const [row, record] of records.entries()) {
      const position = recordPosition(record);
      const digest = digestOf(record);
      const before = digests.get(position);
      if (before !== undefined && before !== digest) {
        findings.add("bronze is raw", "records differ between two bronze objects", position);
      }
      if (before !== undefined) continue;
      digests.set(position, digest);
      onRecord({ ...record, bronzeKey: object.key, isConsumed: row < most });
    }
  }
  onProgress(judged.length, judged.length, "bronze objects");
  const isKnownToDiffer = (position: string) => isRedacted(snapshot, position);
  const isSetAside = (record: StreamRecord) => unread.some((object) => spans(object, record));
  const sent = await compareWithStream({ streamContents, digests, isKnownToDiffer, isSetAside }, findings);
  return { ...sent, landed, transportDuplicates: landed - digests.size, distinct: digests.size };
}

/** Consumed objects first, then those that silver has begun. */
function rankOf(judged: number): number {
  return judged === Infinity ? 0 : judged > 0 ? 1 : 2;
}

/** Reads an object's records; an unreadable object has none. */
async function readObject(store: ObjectStore, { key, hash: named }: BronzeObject, findings: Findings) {
  const body = await store.get(key);
  if (body === undefined) return [];
  if (hash("sha256", body).slice(0, named.length) !== named) {
    findings.add("bronze is raw", "bronze objects do not match the hash in their key", key);
  }
  return await decodeBronze(body).catch(() => []);
}

interface Comparison {
  streamContents: StreamContents;
  digests: Map<string, string>;
  /** Whether the record in bronze was redacted; a stream that cannot be rewritten still has the original. */
  isKnownToDiffer: (position: string) => boolean;
  /** Whether the record is in a bronze object that is set aside, as far as the object's key tells. */
  isSetAside: (record: StreamRecord) => boolean;
}

async function compareWithStream(
  { streamContents, digests, isKnownToDiffer, isSetAside }: Comparison,
  findings: Findings,
) {
  const { positions: failed, unreadable } = await streamContents.onFailure();
  for (const key of unreadable) {
    findings.add("sent = landed", "objects in the on-failure store cannot be read, and may hold records", key);
  }
  const unknown = new Set(streamContents.isComplete ? digests.keys() : []);
  const counts = { sent: 0, waiting: 0, onFailure: 0, setAside: 0 };
  let isWhole = true;
  const onDamage = (sentence: string) => {
    isWhole = false;
    findings.add("the stream is whole", "parts of the stream cannot be read", sentence);
  };
  for await (const record of streamContents.records(onDamage)) {
    const position = recordPosition(record);
    const digest = digests.get(position);
    counts.sent++;
    unknown.delete(position);
    if (digest !== undefined) {
      if (digest !== digestOf(record) && !isKnownToDiffer(position)) {
        findings.add("bronze is raw", "records in bronze differ from what the stream holds", position);
      }
    } else if (isSetAside(record)) counts.setAside++;
    else if (failed.has(position)) counts.onFailure++;
    else if (streamContents.isConfirmed(record)) {
      findings.add(
        "sent = landed",
        "records were sent and confirmed, but are neither in bronze nor on-failure",
        position,
      );
    } else counts.waiting++;
  }
  // In a damaged stream, these records may be in the part that cannot be read.
  for (const position of isWhole ? unknown : []) {
    findings.add("sent = landed", "records in bronze were never in the stream", position);
  }
  return counts;
}

/**
 * Returns a digest of the record's bytes and its partition key. The key matters: it names the event that a resent one
 * corrects, and the till of an unreadable event.
 */
function digestOf({ data, partitionKey }: StreamRecord): string {
  return `${hash("sha256", data, "base64").slice(0, 16)} ${partitionKey}`;
}
