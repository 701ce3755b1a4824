import { checkOrder } from "../domain/check-order.ts";
import type { Catalog } from "../domain/catalog.ts";
import type { Candidate, Position } from "../domain/merge-orders.ts";
import type { Refusal } from "../domain/reasons.ts";
import type { StreamRecord } from "../ports.ts";
import { payloadHash, unpackRecord } from "./unpack-record.ts";

/** An event, or a whole record, that silver refuses. */
export interface RefusedEvent extends Refusal {
  position: Position;
  /** Microseconds since 1970, UTC. */
  arrivedAt: number;
  bytes: Uint8Array;
  orderId?: string;
  bronzeKey: string;
}

export interface ReadEvents {
  candidates: (Candidate & { bytes: Uint8Array; bronzeKey: string })[];
  refused: RefusedEvent[];
}

/** Judges every event of some records of one bronze object. */
export function readEvents(records: readonly StreamRecord[], bronzeKey: string, catalog: Catalog): ReadEvents {
  const result: ReadEvents = { candidates: [], refused: [] };
  for (const { shard, sequenceNumber, arrivedAt: arrivedAtMs, data } of records) {
    const arrivedAt = arrivedAtMs * 1000;
    for (const [recordIndex, unpacked] of unpackRecord(data).entries()) {
      const { bytes } = unpacked;
      const position = { shard, sequenceNumber, recordIndex };
      const checked = "refusal" in unpacked ? unpacked : checkOrder(unpacked.text, arrivedAt, catalog);
      if ("refusal" in checked) result.refused.push({ ...checked.refusal, position, arrivedAt, bytes, bronzeKey });
      else {
        const { event, orderDate, orderHour, orderedAt, emittedAt, offsetMinutes } = checked;
        result.candidates.push({
          event,
          orderDate,
          orderHour,
          orderedAt,
          emittedAt,
          offsetMinutes,
          position,
          arrivedAt,
          payloadHash: payloadHash(bytes),
          bytes,
          bronzeKey,
        });
      }
    }
  }
  return result;
}
