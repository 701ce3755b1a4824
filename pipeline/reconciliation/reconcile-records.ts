import { hash } from "node:crypto";
import { decodeBronze } from "../bronze/bronze-object.ts";
import { listBronze, type BronzeObject } from "../bronze/list-bronze.ts";
import type { Findings } from "../domain/receipt.ts";
import type { Snapshot } from "../delta/table.ts";
import type { ObjectStore, StreamRecord } from "../ports.ts";
import { isConsumed } from "../silver/list-pending.ts";
import { isRedacted } from "../silver/transactions.ts";

/** The stream's own account: every record it still keeps, shard by shard (damage ends a shard), and how far landing has come. */
export interface StreamContents {
  /** Whether the stream still keeps all that it ever took; else bronze may rightly hold more. */
  isComplete: boolean;
  records(onDamage?: (sentence: string) => void): AsyncIterable<StreamRecord>;
  /** True where landing has confirmed the record: it must be in bronze or in the on-failure store. */
  isConfirmed(record: StreamRecord): boolean;
  /** Positions (`shard/sequence number`) in the on-failure store, and keys of objects there that hold no failed batch. */
  onFailure(): Promise<{ positions: Set<string>; unreadable: string[] }>;
}

export interface LandedRecord extends StreamRecord {
  bronzeKey: string;
  /** Whether silver's log names the object it came from. */
  isConsumed: boolean;
}

/** Reads every bronze object and gives each distinct record once; consumed objects first, then in the order of the keys. */
export async function reconcileRecords(
  {
    store,
    stream,
    snapshot,
    account,
  }: { store: ObjectStore; stream: string; snapshot: Snapshot; account: StreamContents },
  onRecord: (record: LandedRecord) => void,
  findings: Findings,
) {
  const digests = new Map<string, string>();
  let landed = 0;
  const objects = await listBronze(store, stream);
  const [consumed, pending] = [true, false].map((is) =>
    objects.filter((object) => isConsumed(snapshot, object) === is),
  );
  for (const object of [...consumed!, ...pending!]) {
    const records = await readObject(store, object, findings);
    if (records.length !== object.count) {
      findings.add("bronze is whole", "bronze objects hold another number of records than their key says", object.key);
    }
    landed += records.length;
    for (const record of records) {
      const position = positionOf(record);
      const digest = digestOf(record);
      const before = digests.get(position);
      if (before !== undefined && before !== digest) {
        findings.add("bronze is raw", "records differ between two bronze objects", position);
      }
      if (before !== undefined) continue;
      digests.set(position, digest);
      onRecord({ ...record, bronzeKey: object.key, isConsumed: isConsumed(snapshot, object) });
    }
  }
  const isKnownToDiffer = (position: string) => isRedacted(snapshot, position);
  const sent = await compareWithStream({ account, digests, isKnownToDiffer }, findings);
  return { ...sent, landed, transportDuplicates: landed - digests.size, distinct: digests.size };
}

/** An object that cannot be read holds no record. */
async function readObject(store: ObjectStore, { key, hash: named }: BronzeObject, findings: Findings) {
  const body = await store.get(key);
  if (body === undefined) return [];
  if (hash("sha256", body).slice(0, named.length) !== named) {
    findings.add("bronze is raw", "bronze objects have other bytes than their name says", key);
  }
  return await decodeBronze(body).catch(() => []);
}

interface Comparison {
  account: StreamContents;
  digests: Map<string, string>;
  /** Whether a customer was taken out of the record in bronze: a stream that cannot be rewritten still has it as it was. */
  isKnownToDiffer: (position: string) => boolean;
}

async function compareWithStream({ account, digests, isKnownToDiffer }: Comparison, findings: Findings) {
  const { positions: failed, unreadable } = await account.onFailure();
  for (const key of unreadable) {
    findings.add("sent = landed", "objects in the on-failure store cannot be read, and may hold records", key);
  }
  const unknown = new Set(account.isComplete ? digests.keys() : []);
  const counts = { sent: 0, waiting: 0, onFailure: 0 };
  let isWhole = true;
  const onDamage = (sentence: string) => {
    isWhole = false;
    findings.add("the stream is whole", "parts of the stream cannot be read", sentence);
  };
  for await (const record of account.records(onDamage)) {
    const position = positionOf(record);
    const digest = digests.get(position);
    counts.sent++;
    unknown.delete(position);
    if (digest !== undefined) {
      if (digest !== digestOf(record) && !isKnownToDiffer(position)) {
        findings.add("bronze is raw", "records in bronze differ from what the stream holds", position);
      }
    } else if (failed.has(position)) counts.onFailure++;
    else if (account.isConfirmed(record)) {
      findings.add(
        "sent = landed",
        "records were sent and confirmed, but are neither in bronze nor on-failure",
        position,
      );
    } else counts.waiting++;
  }
  // Behind the damage the stream may have them all.
  for (const position of isWhole ? unknown : []) {
    findings.add("sent = landed", "records lie in bronze that the stream never took", position);
  }
  return counts;
}

/** The name of a record: shard and sequence number. */
export function positionOf({ shard, sequenceNumber }: { shard: string; sequenceNumber: string }): string {
  return `${shard}/${sequenceNumber}`;
}

/** Of the record's bytes and of its partition key, which says what a resent event corrects and whose an unreadable one is. */
function digestOf({ data, partitionKey }: StreamRecord): string {
  return `${hash("sha256", data, "base64").slice(0, 16)} ${partitionKey}`;
}
