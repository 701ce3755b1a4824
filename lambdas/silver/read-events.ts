import { checkOrder, type CheckedOrder } from "../domain/check-order.ts";
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
  bronzeKey: string;
}

/** A valid event with what a quarantine would need of it. */
export type ReadCandidate = Candidate & { text: string; bronzeKey: string };

export interface ReadEvents {
  candidates: ReadCandidate[];
  refused: RefusedEvent[];
}

/** Judges every event of some records of one bronze object. */
export function readEvents(records: readonly StreamRecord[], bronzeKey: string, catalog: Catalog): ReadEvents {
  const result: ReadEvents = { candidates: [], refused: [] };
  for (const { shard, sequenceNumber, arrivedAt: arrivedAtMs, data } of records) {
    const arrivedAt = arrivedAtMs * 1000;
    for (const [recordIndex, unpacked] of unpackRecord(data).entries()) {
      const origin = { position: { shard, sequenceNumber, recordIndex }, arrivedAt, bronzeKey };
      if ("refusal" in unpacked) {
        result.refused.push({ ...unpacked.refusal, ...origin, bytes: unpacked.bytes });
        continue;
      }
      const { text } = unpacked;
      const checked = checkOrder(text, arrivedAt, catalog);
      if ("refusal" in checked) result.refused.push({ ...checked.refusal, ...origin, bytes: Buffer.from(text) });
      else result.candidates.push(candidateOf(checked, origin, text));
    }
  }
  return result;
}

/** Field by field: spreading objects would cost as much as parsing half an event. */
function candidateOf(
  checked: CheckedOrder,
  { position, arrivedAt, bronzeKey }: Pick<ReadCandidate, "position" | "arrivedAt" | "bronzeKey">,
  text: string,
): ReadCandidate {
  return {
    event: checked.event,
    orderDate: checked.orderDate,
    orderHour: checked.orderHour,
    orderedAt: checked.orderedAt,
    emittedAt: checked.emittedAt,
    offsetMinutes: checked.offsetMinutes,
    position,
    arrivedAt,
    payloadHash: payloadHash(text),
    text,
    bronzeKey,
  };
}
