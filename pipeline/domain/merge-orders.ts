import type { CheckedOrder, OrderFacts } from "./check-order.ts";
import type { ReasonCode } from "./rejection-reasons.ts";
import { OrderMap, type OrderName } from "./order-map.ts";
import { compareSequenceNumbers, type EventPosition } from "./stream-position.ts";

/** A valid event that may become its order's rows in silver. */
export interface Candidate extends CheckedOrder<OrderFacts> {
  position: EventPosition;
  /** Microseconds since 1970, UTC. */
  arrivedAt: number;
  payloadHash: bigint;
}

/** The event that silver holds of an order. */
export interface KnownOrder {
  revision: number;
  orderedAt: number;
  emittedAt: number;
  arrivedAt: number;
  producerSeq: number;
  payloadHash: bigint;
  position: EventPosition;
}

/** An event that contradicts the one that its order shows. */
export interface Conflict {
  candidate: Candidate;
  reason: ConflictReason;
}

/** An event in silver that a new one contradicts, and that gives way to it. */
export interface Displaced {
  order: OrderName;
  known: KnownOrder;
  reason: ConflictReason;
}

/** The reasons that depend on the order's other events. */
export type ConflictReason = Extract<ReasonCode, "conflicting_payload" | "ordered_at_changed">;

/** What to write to silver, and how the other candidates are counted. */
export interface MergePlan {
  /** Orders to write, each as its best event so far. */
  accepted: Candidate[];
  /** Orders in `accepted` whose rows in silver are replaced. */
  replaced: OrderMap<true>;
  conflicts: Conflict[];
  displaced: Displaced[];
  /** Events that were delivered again from the same stream position. */
  redeliveredEvents: number;
  /** Events that the till sent again, at another stream position. */
  eventDuplicates: number;
  /** Revisions that were superseded by a newer one, among the candidates or in silver. */
  supersededRevisions: number;
}

/** How a new event stands to the one that its order shows so far. */
type MergeVerdict =
  | { kind: "newer" | "older" | "same event" | "redelivered" }
  | { kind: "conflict"; reason: ConflictReason; wins: boolean };

/**
 * Merges new events with what silver holds. An order shows, of all its events, the one with the earliest `ordered_at`,
 * then the highest revision, then the earliest `emitted_at`, then the lowest `producer.seq`, then the first in the
 * stream. So the result depends on the events alone, and not on which of them a run takes first. An event with another
 * `ordered_at`, or with another payload of the same revision, is a conflict: the loser is quarantined.
 */
export function mergeOrders(candidates: readonly Candidate[], known: Pick<OrderMap<KnownOrder>, "get">): MergePlan {
  const winners = new OrderMap<Candidate>();
  const accepted = new Set<Candidate>();
  const replaced = new OrderMap<true>();
  const [conflicts, displaced]: [Conflict[], Displaced[]] = [[], []];
  const counts = { "same event": 0, redelivered: 0, older: 0, newer: 0 };
  for (const candidate of candidates) {
    const order = nameOf(candidate);
    const winner = winners.get(order);
    const stored = winner === undefined ? known.get(order) : undefined;
    const current = winner === undefined ? stored : asKnown(winner);
    const verdict = current && compare(candidate, current);
    if (verdict?.kind === "conflict") {
      if (!verdict.wins) conflicts.push({ candidate, reason: verdict.reason });
      else if (winner !== undefined) conflicts.push({ candidate: winner, reason: verdict.reason });
      else displaced.push({ order, known: stored!, reason: verdict.reason });
    } else if (verdict !== undefined) counts[verdict.kind]++;
    const isBetter = verdict === undefined || (verdict.kind === "conflict" ? verdict.wins : verdict.kind === "newer");
    if (!isBetter) continue;
    if (winner !== undefined) accepted.delete(winner);
    accepted.add(candidate);
    winners.set(order, candidate);
    if (stored !== undefined) replaced.set(order, true);
  }
  return {
    accepted: [...accepted],
    replaced,
    conflicts,
    displaced,
    redeliveredEvents: counts.redelivered,
    eventDuplicates: counts["same event"],
    supersededRevisions: counts.older + counts.newer,
  };
}

/** The name of an event's order. */
export function nameOf({ event, orderDate }: Pick<CheckedOrder<OrderFacts>, "event" | "orderDate">): OrderName {
  return { orderDate, storeId: event.store_id, orderId: event.order_id };
}

function asKnown({ event, orderedAt, emittedAt, arrivedAt, payloadHash, position }: Candidate): KnownOrder {
  const { revision, producer } = event;
  return { revision, orderedAt, emittedAt, arrivedAt, producerSeq: producer.seq, payloadHash, position };
}

function compare(candidate: Candidate, current: KnownOrder): MergeVerdict {
  // Compare positions before payloads: bronze may hold the event both with its customer and redacted.
  if (isSamePosition(candidate.position, current.position)) return { kind: "redelivered" };
  if (candidate.orderedAt !== current.orderedAt) {
    return { kind: "conflict", reason: "ordered_at_changed", wins: candidate.orderedAt < current.orderedAt };
  }
  if (candidate.event.revision !== current.revision) {
    return { kind: candidate.event.revision > current.revision ? "newer" : "older" };
  }
  if (candidate.payloadHash === current.payloadHash) return { kind: "same event" };
  return { kind: "conflict", reason: "conflicting_payload", wins: isFirst(asKnown(candidate), current) };
}

/** Whether an event comes before another one of the same revision. A redaction changes none of these values. */
function isFirst(one: KnownOrder, other: KnownOrder): boolean {
  if (one.emittedAt !== other.emittedAt) return one.emittedAt < other.emittedAt;
  if (one.producerSeq !== other.producerSeq) return one.producerSeq < other.producerSeq;
  if (one.arrivedAt !== other.arrivedAt) return one.arrivedAt < other.arrivedAt;
  if (one.position.shard !== other.position.shard) return one.position.shard < other.position.shard;
  const difference = compareSequenceNumbers(one.position.sequenceNumber, other.position.sequenceNumber);
  return difference === 0 ? one.position.recordIndex < other.position.recordIndex : difference < 0;
}

function isSamePosition(a: EventPosition, b: EventPosition): boolean {
  return a.sequenceNumber === b.sequenceNumber && a.recordIndex === b.recordIndex && a.shard === b.shard;
}
