import type { CheckedOrder, OrderFacts } from "./check-order.ts";
import type { ReasonCode } from "./rejection-reasons.ts";
import type { EventPosition } from "./stream-position.ts";

/** A valid event that may become its order's rows in silver. */
export interface Candidate extends CheckedOrder<OrderFacts> {
  position: EventPosition;
  /** Microseconds since 1970, UTC. */
  arrivedAt: number;
  payloadHash: bigint;
}

/** What silver already holds of an order. */
export interface KnownOrder {
  revision: number;
  /** Business date, `YYYY-MM-DD`. */
  orderDate: string;
  orderedAt: number;
  payloadHash: bigint;
  position: EventPosition;
}

/** A valid event that contradicts what was accepted of its order before. */
export interface Conflict {
  candidate: Candidate;
  reason: Extract<ReasonCode, "conflicting_payload" | "ordered_at_changed">;
}

/** What to write to silver, and how the other candidates are counted. */
export interface MergePlan {
  /** Orders to write, each with its latest revision so far. */
  accepted: Candidate[];
  /** Ids of orders whose rows in silver are replaced by a newer revision in `accepted`. */
  replaced: Set<string>;
  /** Ids of new orders whose first event was not revision 0. */
  ahead: Set<string>;
  conflicts: Conflict[];
  /** Events that were delivered again from the same stream position. */
  redeliveredEvents: number;
  /** Events that the till sent again, at another stream position. */
  eventDuplicates: number;
  /** Revisions that were superseded by a newer one, among the candidates or in silver. */
  supersededRevisions: number;
}

type MergeVerdict = "newer" | "older" | "same event" | "redelivered" | Conflict["reason"];

/**
 * Merges new events, in the given order, with what silver holds. The first payload of an (order_id, revision) wins. A
 * higher revision replaces a lower one, whichever arrives first.
 */
export function mergeOrders(candidates: readonly Candidate[], known: ReadonlyMap<string, KnownOrder>): MergePlan {
  const winners = new Map<string, Candidate>();
  const replaced = new Set<string>();
  const ahead = new Set<string>();
  const conflicts: Conflict[] = [];
  const counts = { "same event": 0, redelivered: 0, older: 0, newer: 0 };
  for (const candidate of candidates) {
    const orderId = candidate.event.order_id;
    const winner = winners.get(orderId);
    const stored = winner === undefined ? known.get(orderId) : undefined;
    const current = winner === undefined ? stored : asKnown(winner);
    const verdict = current === undefined ? undefined : compare(candidate, current);
    if (verdict === "conflicting_payload" || verdict === "ordered_at_changed") {
      conflicts.push({ candidate, reason: verdict });
      continue;
    }
    if (verdict !== undefined) counts[verdict]++;
    if (verdict !== undefined && verdict !== "newer") continue;
    winners.set(orderId, candidate);
    if (stored !== undefined) replaced.add(orderId);
    else if (winner === undefined && candidate.event.revision > 0) ahead.add(orderId);
  }
  return {
    accepted: [...winners.values()],
    replaced,
    ahead,
    conflicts,
    redeliveredEvents: counts.redelivered,
    eventDuplicates: counts["same event"],
    supersededRevisions: counts.older + counts.newer,
  };
}

function asKnown({ event, orderDate, orderedAt, payloadHash, position }: Candidate): KnownOrder {
  return { revision: event.revision, orderDate, orderedAt, payloadHash, position };
}

function compare(candidate: Candidate, current: KnownOrder): MergeVerdict {
  // One moment can be written with two offsets, and so two dates; an order keeps its store's date.
  if (candidate.orderedAt !== current.orderedAt || candidate.orderDate !== current.orderDate) {
    return "ordered_at_changed";
  }
  if (candidate.event.revision !== current.revision) {
    return candidate.event.revision > current.revision ? "newer" : "older";
  }
  // Compare positions before payloads: bronze may hold the event both with its customer and redacted.
  if (isSamePosition(candidate.position, current.position)) return "redelivered";
  return candidate.payloadHash === current.payloadHash ? "same event" : "conflicting_payload";
}

function isSamePosition(a: EventPosition, b: EventPosition): boolean {
  return a.sequenceNumber === b.sequenceNumber && a.recordIndex === b.recordIndex && a.shard === b.shard;
}
