import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeOrders, type Candidate, type KnownOrder } from "../../../pipeline/domain/merge-orders.ts";
import { micros, order } from "../../support/order-fixture.ts";

let next = 0;

function candidate(orderId: string, revision: number, payload = 1n, changes: Partial<Candidate> = {}): Candidate {
  const event = order({ order_id: orderId, revision, status: revision === 0 ? "placed" : "amended" });
  const orderedAt = micros("2015-01-01T16:38:36Z");
  const position = { shard: "shardId-000000000000", sequenceNumber: String(++next), recordIndex: 0 };
  const times = { orderDate: "2015-01-01", orderHour: 11, orderedAt, emittedAt: orderedAt };
  return {
    event,
    ...times,
    arrivedAt: orderedAt,
    position,
    payloadHash: payload * 100n + BigInt(revision),
    ...changes,
  };
}

const nothing = new Map<string, KnownOrder>();

function knownOf({ event, ...rest }: Candidate): Map<string, KnownOrder> {
  return new Map([[event.order_id, { revision: event.revision, ...rest }]]);
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

  it("keeps the first payload of a revision and reports the other", () => {
    const [first, other] = [candidate("a", 0, 1n), candidate("a", 0, 2n)];
    const plan = mergeOrders([first, other], nothing);
    expect(plan.accepted).toEqual([first]);
    expect(plan.conflicts).toEqual([{ candidate: other, reason: "conflicting_payload" }]);
    expect(mergeOrders([other], knownOf(first)).conflicts).toHaveLength(1);
  });

  it("reports a revision that moves its order in time", () => {
    const first = candidate("a", 0);
    const moved = candidate("a", 1, 1n, { orderedAt: first.orderedAt + 1 });
    expect(mergeOrders([moved], knownOf(first)).conflicts).toEqual([
      { candidate: moved, reason: "ordered_at_changed" },
    ]);
  });

  it("replaces rows in silver only by a newer revision", () => {
    const [old, now] = [candidate("a", 0), candidate("a", 1)];
    expect(mergeOrders([now], knownOf(old))).toMatchObject({
      accepted: [now],
      replaced: new Set(["a"]),
      supersededRevisions: 1,
    });
    expect(mergeOrders([old], knownOf(now))).toMatchObject({
      accepted: [],
      replaced: new Set(),
      supersededRevisions: 1,
    });
  });

  it("counts every event and ends with the highest revision, whatever the order and the split into runs", () => {
    const events = fc.array(fc.record({ id: fc.constantFrom("a", "b", "c"), revision: fc.nat(3), cut: fc.boolean() }));
    fc.assert(
      fc.property(events, (specs) => {
        const known = new Map<string, KnownOrder>();
        const totals = { accepted: 0, dropped: 0, gone: 0 };
        let run: Candidate[] = [];
        const finish = () => {
          const plan = mergeOrders(run, known);
          for (const winner of plan.accepted) {
            known.set(winner.event.order_id, { ...winner, revision: winner.event.revision });
          }
          totals.accepted += plan.accepted.length - plan.replaced.size;
          totals.dropped += plan.eventDuplicates + plan.supersededRevisions + plan.conflicts.length;
          run = [];
        };
        for (const { id, revision, cut } of specs) {
          run.push(candidate(id, revision));
          if (cut) finish();
        }
        finish();
        expect(totals.accepted + totals.dropped).toBe(specs.length);
        for (const id of ["a", "b", "c"]) {
          const revisions = specs.filter((spec) => spec.id === id).map((spec) => spec.revision);
          expect(known.get(id)?.revision).toBe(revisions.length === 0 ? undefined : Math.max(...revisions));
        }
      }),
    );
  });
});
