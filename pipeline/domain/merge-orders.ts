import type { CheckedOrder, OrderFacts } from "./check-order.ts";
import type { ReasonCode } from "./rejection-reasons.ts";
import type { EventPosition } from "./stream-position.ts";

/** A valid event that asks to become the order's row set in silver. */
export interface Candidate extends CheckedOrder<OrderFacts> {
  position: EventPosition;
  /** Microseconds since 1970, UTC. */
  arrivedAt: number;
  payloadHash: bigint;
}

/** What silver holds of an order already. */
export interface KnownOrder {
  revision: number;
  /** Business date, `YYYY-MM-DD`. */
  orderDate: string;
  orderedAt: number;
  payloadHash: bigint;
  position: EventPosition;
}

export interface Conflict {
  candidate: Candidate;
  reason: Extract<ReasonCode, "conflicting_payload" | "ordered_at_changed">;
}

export interface MergePlan {
  /** Orders to write; each is the latest revision known now. */
  accepted: Candidate[];
  /** Orders whose rows in silver give way to a newer revision in `accepted`. */
  replaced: Set<string>;
  /** Orders that were not known and came with a later revision first. */
  ahead: Set<string>;
  conflicts: Conflict[];
  /** The same event from the same stream position again: a redelivery. */
  redeliveredEvents: number;
  /** The same event sent again. */
  eventDuplicates: number;
  /** Revisions that gave way to a newer one, among the candidates or in silver. */
  supersededRevisions: number;
}

type Verdict = "newer" | "older" | "same event" | "redelivered" | Conflict["reason"];

/**
 * Folds new events into what silver knows, in the order given. The first payload of an (order_id, revision) wins, a
 * higher revision replaces a lower one, whatever the order of arrival.
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

function compare(candidate: Candidate, current: KnownOrder): Verdict {
  // One moment may be written as two dates: it is the store's own day that an order keeps.
  if (candidate.orderedAt !== current.orderedAt || candidate.orderDate !== current.orderDate) {
    return "ordered_at_changed";
  }
  if (candidate.event.revision !== current.revision) {
    return candidate.event.revision > current.revision ? "newer" : "older";
  }
  // Before the payloads: bronze may hold it with the customer and without.
  if (isSamePosition(candidate.position, current.position)) return "redelivered";
  return candidate.payloadHash === current.payloadHash ? "same event" : "conflicting_payload";
}

function isSamePosition(a: EventPosition, b: EventPosition): boolean {
  return a.sequenceNumber === b.sequenceNumber && a.recordIndex === b.recordIndex && a.shard === b.shard;
}
