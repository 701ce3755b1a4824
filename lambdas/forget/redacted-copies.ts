import { decodeBronze } from "../bronze/bronze-object.ts";
import { spans } from "../bronze/bronze-key.ts";
import { listBronze } from "../bronze/list-bronze.ts";
import type { Snapshot } from "../lake/delta-table.ts";
import type { ObjectStore, StreamRecord } from "../ports.ts";
import { isConsumed, takenAt } from "../silver/list-pending.ts";
import { isRedacted } from "../silver/redacted-records.ts";

/**
 * A record from which a customer was taken may land once more as it was. Its copy that is redacted already has to stand in
 * its place, whoever is forgotten this time: these are the copies, by position, of records in some bronze objects. Of
 * several the one that silver took first is it: a redacted object keeps the time of the one that it replaces.
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
  const holders = (await listBronze(store, stream))
    .filter((object) => isConsumed(snapshot, object) && wanted.some((record) => spans(object, record)))
    .toSorted(
      (a, b) => takenAt(snapshot, b) - takenAt(snapshot, a) || Number(keys.has(b.key)) - Number(keys.has(a.key)),
    );
  for (const record of await readAll(store, new Set(holders.map(({ key }) => key)))) {
    if (positions.has(positionOf(record))) copies.set(positionOf(record), record);
  }
  return copies;
}

/** The name of a record: shard and sequence number. */
export function positionOf({ shard, sequenceNumber }: Pick<StreamRecord, "shard" | "sequenceNumber">): string {
  return `${shard}/${sequenceNumber}`;
}

async function readAll(store: ObjectStore, keys: ReadonlySet<string>): Promise<StreamRecord[]> {
  const records = [];
  for (const key of keys) {
    const body = await store.get(key);
    if (body !== undefined) records.push(...(await decodeBronze(body)));
  }
  return records;
}
