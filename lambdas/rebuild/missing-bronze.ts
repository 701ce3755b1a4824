import { parseBronzeKey, spans } from "../bronze/bronze-key.ts";
import { decodeBronze } from "../bronze/bronze-object.ts";
import type { BronzeObject } from "../bronze/list-bronze.ts";
import type { Snapshot } from "../lake/delta-table.ts";
import { readColumns } from "../lake/read-columns.ts";
import type { ObjectStore } from "../ports.ts";
import type { Refinery } from "../silver/refine-silver.ts";

/** A record by its shard and sequence number. */
export interface RecordPlace {
  shard: string;
  sequenceNumber: string;
}

/**
 * Names of bronze objects that silver's log says it took, or that the quarantine was read from, and that are not there. An
 * object that a customer was taken out of stands under the same name with another hash.
 */
export async function findMissingObjects(
  { store, stream, quarantine }: Pick<Refinery, "store" | "stream" | "quarantine">,
  { snapshot, listed }: { snapshot: Snapshot; listed: readonly BronzeObject[] },
): Promise<string[]> {
  const names = new Set(snapshot.transactions.keys());
  for (const { path } of (await quarantine.snapshot()).files.values()) {
    const body = await store.get(`${quarantine.root}/${path}`);
    if (body === undefined) throw new Error(`quarantine file ${path} is named by the log but is not in the lake`);
    for (const key of (await readColumns(body, ["bronze_key"]))["bronze_key"]!) names.add(String(key));
  }
  const there = new Set(listed.map(({ key }) => withoutHash(key)));
  return [...names].filter((key) => parseBronzeKey(key)?.stream === stream && !there.has(withoutHash(key))).toSorted();
}

function withoutHash(key: string): string {
  return key.slice(0, key.lastIndexOf("-"));
}

/** Which of some records are in no bronze object. Only objects whose name lets them hold one are read. */
export async function findMissingRecords(
  store: ObjectStore,
  { listed, records }: { listed: readonly BronzeObject[]; records: readonly RecordPlace[] },
): Promise<Set<string>> {
  const wanted = new Map(records.map((record) => [placeOf(record), record]));
  for (const object of listed) {
    if (![...wanted.values()].some((record) => spans(object, record))) continue;
    const body = await store.get(object.key);
    if (body === undefined) continue;
    for (const record of await decodeBronze(body)) wanted.delete(placeOf(record));
  }
  return new Set(wanted.keys());
}

/** The name of a record: `shard/sequence number`. */
export function placeOf({ shard, sequenceNumber }: RecordPlace): string {
  return `${shard}/${sequenceNumber}`;
}
