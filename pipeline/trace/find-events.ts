import { decodeBronze } from "../bronze/bronze-object.ts";
import { listBronze, type BronzeObject } from "../bronze/list-bronze.ts";
import { eventPosition } from "../domain/stream-position.ts";
import type { ObjectStore, StreamRecord } from "../ports.ts";
import { textsOf, unpackRecord } from "../silver/unpack-record.ts";

const objectsAtOnce = 8;

/** One event in bronze. */
export interface BronzeEvent {
  /** Stream position: `shard/sequence number/index`. */
  position: string;
  record: StreamRecord;
  recordIndex: number;
  bytes: Buffer;
  /** Every bronze object that holds its record. */
  bronzeKeys: string[];
}

/**
 * Finds the events whose bytes satisfy `holds`, in bronze objects that satisfy `isWanted` and landed at `fromHour` or
 * later. If an event of a batch satisfies `holds`, the whole batch must too, because other batches are not split.
 * `onDamage` is called with the key of an object that cannot be decoded.
 */
export async function findEvents(
  { store, stream }: { store: ObjectStore; stream: string },
  holds: (bytes: Buffer) => boolean,
  {
    fromHour,
    isWanted = () => true,
    onDamage,
  }: { fromHour?: string; isWanted?: (object: BronzeObject) => boolean; onDamage: (key: string) => void },
): Promise<BronzeEvent[]> {
  const listed = await listBronze(store, stream, fromHour === undefined ? {} : { fromHour });
  const objects = listed.filter(isWanted);
  const found = new Map<string, BronzeEvent>();
  for (let start = 0; start < objects.length; start += objectsAtOnce) {
    const some = objects.slice(start, start + objectsAtOnce);
    const bodies = await Promise.all(some.map(async ({ key }) => ({ key, body: await store.get(key) })));
    for (const { key, body } of bodies) {
      const records = body === undefined ? [] : await decodeBronze(body).catch(() => onDamage(key));
      for (const record of records ?? []) collect(found, { record, key, holds });
    }
  }
  return [...found.values()];
}

function collect(
  found: Map<string, BronzeEvent>,
  { record, key, holds }: { record: StreamRecord; key: string; holds: (bytes: Buffer) => boolean },
): void {
  for (const { bytes, recordIndex } of eventsWith(record, holds)) {
    const position = eventPosition({ ...record, recordIndex });
    const known = found.get(position);
    if (known === undefined) found.set(position, { position, record, recordIndex, bytes, bronzeKeys: [key] });
    else if (!known.bronzeKeys.includes(key)) known.bronzeKeys.push(key);
  }
}

/** Returns the events of a record whose bytes satisfy `holds`; none of a part that cannot be unpacked. */
function eventsWith(record: StreamRecord, holds: (bytes: Buffer) => boolean): { bytes: Buffer; recordIndex: number }[] {
  if (!textsOf(record.data).some(holds)) return [];
  return unpackRecord(record.data)
    .filter(({ bytes, isPacked }) => isPacked !== true && holds(bytes))
    .map(({ bytes, index }) => ({ bytes, recordIndex: index }));
}
