import type { Clock, ObjectStore, StreamRecord } from "../ports.ts";
import { bronzeKey, encodeBronze } from "./bronze-object.ts";
import { readOnFailure } from "./on-failure-objects.ts";

/** The bronze object of one invocation. */
export interface Landing {
  key: string;
  records: number;
  /** Size of the object. */
  bytes: number;
  /** False if an earlier attempt had already written the same object. */
  created: boolean;
}

/**
 * Writes the records of one invocation (one shard, in order) as one bronze object, atomically. Payloads are not parsed,
 * so no record can make it fail; only the store can.
 */
export async function landRecords(
  { store, stream, clock = Date.now }: { store: ObjectStore; stream: string; clock?: Clock },
  records: readonly StreamRecord[],
): Promise<Landing> {
  const body = encodeBronze(stream, records);
  const key = bronzeKey({ stream, records, body, landedAt: clock() });
  const created = await store.put(key, body, { ifAbsent: true });
  return { key, records: records.length, bytes: body.length, created };
}

/** What a redrive did with the on-failure store; a run that ends early leaves the rest to the next one. */
export interface RedriveSummary {
  /** Failed batches that were landed. */
  redriven: number;
  records: number;
  /** Keys of objects that are not failed batches; they are left in the store. */
  unreadable: string[];
}

/**
 * Lands every batch that the event source mapping sent to the on-failure destination, then deletes it there. If a run
 * crashes in between, the next one lands the same records again, and silver drops them. Only a store can make it fail.
 */
export async function redriveLanding({
  store,
  onFailure,
  stream,
  clock = Date.now,
  until = Infinity,
}: {
  store: ObjectStore;
  onFailure: ObjectStore;
  stream: string;
  clock?: Clock;
  /** No further batch is landed after this time, in milliseconds since 1970. */
  until?: number;
}): Promise<RedriveSummary> {
  const summary: RedriveSummary = { redriven: 0, records: 0, unreadable: [] };
  for await (const { key, records } of readOnFailure(onFailure)) {
    if (records === undefined) {
      summary.unreadable.push(key);
      continue;
    }
    await landRecords({ store, stream, clock }, records);
    await onFailure.delete(key);
    summary.redriven += 1;
    summary.records += records.length;
    if (clock() >= until) break;
  }
  return summary;
}
