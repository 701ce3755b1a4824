import { decodeBronze, spans } from "../bronze/bronze-object.ts";
import { listBronze, type BronzeObject } from "../bronze/list-bronze.ts";
import { hourMs, utcHour } from "../domain/dates.ts";
import type { Displaced } from "../domain/merge-orders.ts";
import { reject } from "../domain/rejection-reasons.ts";
import { recordPosition, type RecordPosition } from "../domain/stream-position.ts";
import type { ObjectStore, StreamRecord } from "../ports.ts";
import type { RejectedEvent } from "./read-events.ts";
import { createEventReader } from "./unpack-record.ts";

/** Landing is rarely later than this; otherwise every later hour is listed. */
const usualHours = 2;

/** Where a record arrived, and when, in microseconds since 1970. */
interface Arrival {
  position: RecordPosition;
  arrivedAt: number;
}

/** Finds records in bronze by their position; listings and objects are read once. Only conflicts need it. */
export function openBronzeLookup({ store, stream }: { store: ObjectStore; stream: string }) {
  const listings = new Map<string, Promise<BronzeObject[]>>();
  const bodies = new Map<string, Promise<StreamRecord[]>>();
  const eventBytes = createEventReader();

  async function list(fromHour: string, toHour: string | undefined): Promise<BronzeObject[]> {
    const name = `${fromHour} ${toHour}`;
    const listing = listings.get(name) ?? listBronze(store, stream, { fromHour, ...(toHour && { toHour }) });
    listings.set(name, listing);
    return await listing;
  }

  async function read(key: string): Promise<StreamRecord[]> {
    const records =
      bodies.get(key) ?? store.get(key).then(async (body) => (body ? await decodeBronze(body).catch(() => []) : []));
    bodies.set(key, records);
    return await records;
  }

  async function search(
    { position, arrivedAt }: Arrival,
    { wanted, hours }: { wanted: (object: BronzeObject) => number; hours?: number },
  ) {
    const from = Math.floor(arrivedAt / 1000);
    const toHour = hours === undefined ? undefined : utcHour(from + hours * hourMs);
    for (const object of await list(utcHour(from), toHour)) {
      const most = spans(object, position) ? wanted(object) : 0;
      if (most === 0) continue;
      const records = await read(object.key);
      const row = records.findIndex((each) => recordPosition(each) === recordPosition(position));
      if (row !== -1 && row < most) return { record: records[row]!, key: object.key };
    }
    return undefined;
  }

  return {
    /** Whether an object holds the record among its first ones, as many as `wanted` returns for it. */
    isIn: async (arrival: Arrival, wanted: (object: BronzeObject) => number): Promise<boolean> =>
      (await search(arrival, { wanted })) !== undefined,

    /**
     * Returns an event in silver that gives way to another one of its order, as a rejected event. Silver has only its
     * values, so its bytes are read from bronze. An event whose record is lost or damaged there is rejected without
     * bytes, because the new event must not wait for a repair; the receipt names it.
     */
    async rejectDisplaced({ order, known, reason }: Displaced): Promise<RejectedEvent> {
      const wanted = () => Infinity;
      const found = (await search(known, { wanted, hours: usualHours })) ?? (await search(known, { wanted }));
      const { position, arrivedAt, revision } = known;
      const { detail } = reject(reason, `order ${order.orderId} revision ${revision}`).rejection;
      return {
        reason,
        detail: found === undefined ? `${detail}; bronze no longer has its record` : detail,
        position,
        arrivedAt,
        bytes: found === undefined ? new Uint8Array() : eventBytes(found.record.data, position.recordIndex),
        bronzeKey: found?.key ?? "",
      };
    },
  };
}
