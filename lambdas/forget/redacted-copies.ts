import { decodeBronze } from "../bronze/bronze-object.ts";
import { listBronze, type BronzeObject } from "../bronze/list-bronze.ts";
import type { Snapshot } from "../lake/delta-table.ts";
import type { ObjectStore, StreamRecord } from "../ports.ts";
import { isConsumed } from "../silver/list-pending.ts";
import { isRedacted } from "../silver/redacted-records.ts";

/**
 * A record from which a customer was taken may land once more as it was. Its copy that is redacted already has to stand in
 * its place, whoever is forgotten this time: these are the copies, by position, of records in some bronze objects.
 */
export async function redactedCopies(
  { store, stream }: { store: ObjectStore; stream: string },
  keys: ReadonlySet<string>,
  snapshot: Snapshot,
): Promise<Map<string, StreamRecord>> {
  const copies = new Map<string, StreamRecord>();
  const wanted = (await readAll(store, keys)).filter((record) => isRedacted(snapshot, positionOf(record)));
  if (wanted.length === 0) return copies;
  const positions = new Set(wanted.map(positionOf));
  const others = (await listBronze(store, stream)).filter(
    (object) => !keys.has(object.key) && isConsumed(snapshot, object) && wanted.some((record) => spans(object, record)),
  );
  for (const record of await readAll(store, new Set(others.map(({ key }) => key)))) {
    if (positions.has(positionOf(record))) copies.set(positionOf(record), record);
  }
  return copies;
}

/** The name of a record: shard and sequence number. */
export function positionOf({ shard, sequenceNumber }: Pick<StreamRecord, "shard" | "sequenceNumber">): string {
  return `${shard}/${sequenceNumber}`;
}

function spans({ shard, first, last }: BronzeObject, record: StreamRecord): boolean {
  const place = BigInt(record.sequenceNumber);
  return shard === record.shard && BigInt(first) <= place && place <= BigInt(last);
}

async function readAll(store: ObjectStore, keys: ReadonlySet<string>): Promise<StreamRecord[]> {
  const records = [];
  for (const key of keys) {
    const body = await store.get(key);
    if (body !== undefined) records.push(...(await decodeBronze(body)));
  }
  return records;
}
