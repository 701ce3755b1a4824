import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeOrders, nameOf, type Candidate, type KnownOrder } from "../../../pipeline/domain/merge-orders.ts";
import { OrderMap, showOrder } from "../../../pipeline/domain/order-map.ts";
import { micros, order } from "../../support/order-fixture.ts";

let next = 0;

function candidate(orderId: string, revision: number, payload = 1n, changes: Partial<Candidate> = {}): Candidate {
  const event = order({ order_id: orderId, revision, status: revision === 0 ? "placed" : "amended" });
  const orderedAt = micros("2015-01-01T16:38:36Z");
  const position = { shard: "shardId-000000000000", sequenceNumber: String(++next), recordIndex: 0 };
  const times = { orderDate: "2015-01-01", orderHour: 11, wrongOffset: undefined, orderedAt, emittedAt: orderedAt };
  return {
    event,
    ...times,
    arrivedAt: orderedAt,
    position,
    payloadHash: payload * 100n + BigInt(revision),
    ...changes,
  };
}

const nothing = new OrderMap<KnownOrder>();

function asKnown(event: Candidate): KnownOrder {
  return { ...event, revision: event.event.revision, producerSeq: event.event.producer.seq };
}

function knownOf(...events: Candidate[]): OrderMap<KnownOrder> {
  const known = new OrderMap<KnownOrder>();
  for (const each of events) known.set(nameOf(each), asKnown(each));
  return known;
}

describe("merging orders", () => {
  it("drops a second copy of an event, in one run and across runs", () => {
    const [first, copy] = [candidate("a", 0), candidate("a", 0)];
    expect(mergeOrders([first, copy], nothing)).toMatchObject({ accepted: [first], eventDuplicates: 1 });
    expect(mergeOrders([copy], knownOf(first))).toMatchObject({ accepted: [], eventDuplicates: 1 });
  });

  it("distinguishes a redelivery from a duplicate by the stream position", () => {
    const first = candidate("a", 0);
    expect(mergeOrders([first], knownOf(first))).toMatchObject({
      accepted: [],
      redeliveredEvents: 1,
      eventDuplicates: 0,
    });
  });

  it("recognizes an event by its stream position, even if its bytes were redacted", () => {
    const [first, redacted] = [candidate("a", 0, 1n), candidate("a", 0, 2n)];
    const samePlace = { ...redacted, position: first.position };
    expect(mergeOrders([samePlace], knownOf(first))).toMatchObject({ redeliveredEvents: 1, conflicts: [] });
  });

  it("keeps orders with the same id separate if the store or the day differs", () => {
    const first = candidate("7", 0);
    const elsewhere = candidate("7", 0, 2n, { event: order({ order_id: "7", store_id: "chi-01" }) });
    const tomorrow = candidate("7", 0, 3n, { orderDate: "2015-01-02", orderedAt: first.orderedAt + 86_400e6 });
    expect(mergeOrders([first, elsewhere, tomorrow], nothing).accepted).toEqual([first, elsewhere, tomorrow]);
    expect(mergeOrders([elsewhere, tomorrow], knownOf(first))).toMatchObject({
      accepted: [elsewhere, tomorrow],
      conflicts: [],
    });
  });

  it("keeps the payload of a revision that was emitted first, and reports the other", () => {
    const first = candidate("a", 0, 1n);
    const other = candidate("a", 0, 2n, { emittedAt: first.emittedAt + 1 });
    for (const events of [
      [first, other],
      [other, first],
    ]) {
      const plan = mergeOrders(events, nothing);
      expect(plan.accepted).toEqual([first]);
      expect(plan.conflicts).toEqual([{ candidate: other, reason: "conflicting_payload" }]);
    }
    expect(mergeOrders([other], knownOf(first)).conflicts).toHaveLength(1);
    expect(mergeOrders([first], knownOf(other))).toMatchObject({
      accepted: [first],
      conflicts: [],
      displaced: [{ known: { position: other.position }, reason: "conflicting_payload" }],
    });
  });

  it("of two payloads with one time, keeps the lower sequence number, then the first in the stream", () => {
    const producer = (seq: number) => ({ event: order({ order_id: "a", producer: { producer_id: "till", seq } }) });
    const first = candidate("a", 0, 2n, producer(7));
    const { position, arrivedAt } = first;
    const later: Partial<Candidate>[] = [
      { ...producer(8), position: { ...position, sequenceNumber: "0" } },
      { arrivedAt: arrivedAt + 1 },
      { position: { ...position, shard: "shardId-000000000001" } },
      { position: { ...position, sequenceNumber: `1${position.sequenceNumber}` } },
      { position: { ...position, recordIndex: 1 } },
    ];
    for (const changes of later) {
      const other = candidate("a", 0, 1n, { ...producer(7), ...changes });
      expect(mergeOrders([first, other], nothing).accepted).toEqual([first]);
      expect(mergeOrders([other, first], nothing).accepted).toEqual([first]);
    }
  });

  it("keeps the earliest time of an order, and reports a revision that changes it", () => {
    const first = candidate("a", 0);
    const moved = candidate("a", 1, 1n, { orderedAt: first.orderedAt + 1 });
    expect(mergeOrders([moved], knownOf(first)).conflicts).toEqual([
      { candidate: moved, reason: "ordered_at_changed" },
    ]);
    expect(mergeOrders([first], knownOf(moved))).toMatchObject({
      accepted: [first],
      displaced: [{ reason: "ordered_at_changed" }],
    });
  });

  it("replaces rows in silver only by a newer revision", () => {
    const [old, now] = [candidate("a", 0), candidate("a", 1)];
    const newer = mergeOrders([now], knownOf(old));
    expect(newer).toMatchObject({ accepted: [now], supersededRevisions: 1 });
    expect(newer.replaced.has(nameOf(now))).toBe(true);
    const older = mergeOrders([old], knownOf(now));
    expect(older).toMatchObject({ accepted: [], supersededRevisions: 1 });
    expect([...older.replaced]).toEqual([]);
  });

  /** Merges events run by run, and returns what silver then holds and how many events went where. */
  function mergeInRuns(runs: readonly (readonly Candidate[])[]) {
    const known = new OrderMap<KnownOrder>();
    const totals = { accepted: 0, dropped: 0 };
    for (const run of runs) {
      const plan = mergeOrders(run, known);
      for (const winner of plan.accepted) known.set(nameOf(winner), asKnown(winner));
      totals.accepted += plan.accepted.length - [...plan.replaced].length;
      totals.dropped += plan.eventDuplicates + plan.supersededRevisions + plan.conflicts.length + plan.displaced.length;
    }
    const shown = [...known].map(([name, { orderedAt, revision, payloadHash }]) => {
      return `${showOrder(name)} ${orderedAt} ${revision} ${payloadHash}`;
    });
    return { shown: shown.toSorted(), ...totals };
  }

  it("shows the same orders and counts every event, whatever the order of arrival and the split into runs", () => {
    const spec = fc.record({
      id: fc.constantFrom("a", "b"),
      store: fc.constantFrom("nyc-01", "chi-01"),
      day: fc.constantFrom("2015-01-01", "2015-01-02"),
      revision: fc.nat(2),
      payload: fc.nat(1),
      time: fc.nat(1),
      emitted: fc.nat(2),
    });
    const specs = fc.array(spec, { maxLength: 12 });
    const arrival = fc.array(fc.record({ rank: fc.nat(), cut: fc.boolean() }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(specs, arrival, (given, order_) => {
        const events = given.map(({ id, store, day, revision, payload, time, emitted }) => {
          const orderedAt = micros(`${day}T16:38:36Z`) + time;
          return candidate(id, revision, BigInt(payload), {
            event: order({ order_id: id, store_id: store, revision, producer: { producer_id: "till", seq: payload } }),
            orderDate: day,
            orderedAt,
            emittedAt: orderedAt + emitted,
          });
        });
        const ranks = new Map(events.map((event, index) => [event, order_[index]!.rank]));
        const runs: Candidate[][] = [[]];
        for (const [index, event] of events.toSorted((a, b) => ranks.get(a)! - ranks.get(b)!).entries()) {
          runs.at(-1)!.push(event);
          if (order_[index]!.cut) runs.push([]);
        }
        const [atOnce, inRuns] = [mergeInRuns([events]), mergeInRuns(runs)];
        expect(inRuns.shown).toEqual(atOnce.shown);
        expect(inRuns.accepted + inRuns.dropped).toBe(events.length);
      }),
    );
  });
});
