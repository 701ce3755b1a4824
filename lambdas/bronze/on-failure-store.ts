import type { ObjectStore, StreamRecord } from "../ports.ts";
import { decodeFailedBatch } from "./on-failure-object.ts";

/** An object of the on-failure store; without records where it is no failed batch. */
export interface OnFailureObject {
  key: string;
  records: StreamRecord[] | undefined;
}

/** Reads the on-failure store, one object at a time; it may hold as much as the stream. */
export async function* readOnFailure(store: ObjectStore): AsyncGenerator<OnFailureObject> {
  for (const { key } of await store.list("")) {
    const body = await store.get(key);
    if (body !== undefined) yield { key, records: recordsOf(body) };
  }
}

function recordsOf(body: Uint8Array): StreamRecord[] | undefined {
  try {
    const records = decodeFailedBatch(body);
    return records.length === 0 ? undefined : records;
  } catch {
    return undefined;
  }
}

/** Where the records of the on-failure store stood in the stream, and the keys of what is no failed batch. */
export async function onFailurePositions(store: ObjectStore) {
  const positions: { shard: string; sequenceNumber: string }[] = [];
  const unreadable: string[] = [];
  for await (const { key, records } of readOnFailure(store)) {
    if (records === undefined) unreadable.push(key);
    for (const { shard, sequenceNumber } of records ?? []) positions.push({ shard, sequenceNumber });
  }
  return { positions, unreadable };
}
