import type { Clock, ObjectStore, StreamRecord } from "../ports.ts";
import { bronzeKey } from "./bronze-key.ts";
import { encodeBronze } from "./bronze-object.ts";

export interface Landing {
  key: string;
  records: number;
  /** Size of the object. */
  bytes: number;
  /** False where an earlier attempt had written the same object already. */
  created: boolean;
}

/**
 * Writes the records of one invocation (one shard, in order) as one bronze object: all of them, or an error and none.
 * Nothing is parsed, so no record can make it fail; only the store can.
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
