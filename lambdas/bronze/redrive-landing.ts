import type { Clock, ObjectStore } from "../ports.ts";
import { landRecords } from "./land-records.ts";
import { readOnFailure } from "./on-failure-store.ts";

/** What a redrive did with the on-failure store. */
export interface RedriveSummary {
  /** Failed batches that are in bronze now. */
  redriven: number;
  records: number;
  /** Keys of objects that hold no failed batch; they stay where they are. */
  unreadable: string[];
}

/**
 * Lands every batch that the event source mapping gave up, then removes it from the on-failure store. A batch that was
 * landed and not yet removed lands again as the same records, which silver drops. Only a store can make it fail.
 */
export async function redriveLanding({
  store,
  onFailure,
  stream,
  clock = Date.now,
}: {
  store: ObjectStore;
  onFailure: ObjectStore;
  stream: string;
  clock?: Clock;
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
  }
  return summary;
}
