import { describe, expect, test } from "vitest";
import { createCatalog } from "../../pipeline/domain/catalog.ts";
import { checkOrder } from "../../pipeline/domain/check-order.ts";
import type { OrderEvent } from "../../pipeline/domain/generated/order-event.types.ts";
import { faultNames, parseFaults, type FaultKind } from "../../producer/fault-kinds.ts";
import { withFaults } from "../../producer/faults.ts";
import type { Outgoing } from "../../producer/batch-builder.ts";
import { simulateOrders } from "../../producer/simulator.ts";
import { menu, patterns, stores } from "./project-data.ts";

const startAt = Date.parse("2026-03-01T00:00:00Z");
const events = [...simulateOrders({ seed: 7, menu, stores, patterns, startAt, orders: 6000 })];
const catalog = createCatalog(menu, stores);

/** A single kind of fault, with its count. */
function only(kind: FaultKind, options: { live?: boolean } = {}) {
  const stream = withFaults(events, { seed: 1, stores, [kind]: 0.05, ...options });
  const sent = [...stream];
  return { sent, tally: stream.tally, faulty: sent.filter((outgoing) => outgoing.fault === kind) };
}

function read({ bytes }: Outgoing): OrderEvent {
  return JSON.parse(Buffer.from(bytes).toString());
}

function textOf({ bytes }: Outgoing): string {
  return Buffer.from(bytes).toString();
}

function rejections(sent: readonly Outgoing[]): string[] {
  return sent.map((outgoing) => {
    const verdict = checkOrder(textOf(outgoing), Date.parse("2026-12-01T00:00:00Z") * 1000, catalog);
    return "rejection" in verdict ? verdict.rejection.reason : "";
  });
}

describe("without faults", () => {
  test("events are unchanged", () => {
    const sent = [...withFaults(events, { seed: 1, stores })];
    expect(sent.map(textOf)).toEqual(events.map((event) => JSON.stringify(event)));
    expect(sent[0]!.producerId).toBe(events[0]!.producer.producer_id);
  });
});

describe("with all faults at once", () => {
  const run = () => {
    const stream = withFaults(events, { seed: 5, stores, ...parseFaults("all=0.02") });
    return { sent: [...stream], tally: stream.tally };
  };

  test("the same seed has the same result, byte for byte", () => {
    expect(
      run()
        .sent.map((outgoing) => Buffer.from(outgoing.bytes).toString("latin1"))
        .join("\n"),
    ).toBe(
      run()
        .sent.map((outgoing) => Buffer.from(outgoing.bytes).toString("latin1"))
        .join("\n"),
    );
  });

  test("the tally counts faults at about the requested rates", () => {
    const { sent, tally } = run();
    for (const kind of faultNames) {
      expect(sent.filter((outgoing) => outgoing.fault === kind)).toHaveLength(tally[kind]);
      expect(tally[kind] / events.length).toBeGreaterThan(0.014);
      expect(tally[kind] / events.length).toBeLessThan(0.026);
    }
  });

  test("only unreadable orders are lost", () => {
    const { sent, tally } = run();
    const ids = new Set(
      sent.filter((outgoing) => outgoing.fault !== "malformed").map((outgoing) => read(outgoing).order_id),
    );
    expect(ids.size).toBe(events.length - tally.malformed);
  });

  test("each till's numbers have no gaps except the gap fault's", () => {
    const { sent, tally } = run();
    const readable = sent.filter((outgoing) => outgoing.fault !== "malformed").map(read);
    let missing = 0;
    for (const till of Map.groupBy(readable, (event) => event.producer.producer_id).values()) {
      const numbers = new Set(till.map((event) => event.producer.seq));
      missing += Math.max(...numbers) - Math.min(...numbers) + 1 - numbers.size;
      expect(Math.min(...numbers)).toBe(1);
    }
    expect(missing).toBe(tally.gap);
  });

  test("each till's numbers increase with the sending time", () => {
    const readable = run()
      .sent.filter((outgoing) => outgoing.fault !== "malformed")
      .map(read);
    for (const till of Map.groupBy(readable, (event) => event.producer.producer_id).values()) {
      const bySeq = till.toSorted((a, b) => a.producer.seq - b.producer.seq).map((event) => event.emitted_at);
      expect(bySeq).toEqual(bySeq.toSorted());
    }
  });
});

describe("a single fault", () => {
  test("duplicates: the same bytes are sent again later", () => {
    const { sent, faulty, tally } = only("duplicates");
    expect(sent).toHaveLength(events.length + tally.duplicates);
    const first = new Map<string, number>();
    for (const [index, outgoing] of sent.entries())
      if (outgoing.fault === undefined) first.set(textOf(outgoing), index);
    for (const outgoing of faulty) expect(first.get(textOf(outgoing))).toBeLessThan(sent.indexOf(outgoing));
  });

  test("reorder: later events are sent first, and nothing else changes", () => {
    const { sent, faulty } = only("reorder");
    const texts = events.map((event) => JSON.stringify(event));
    expect(sent.map(textOf)).not.toEqual(texts);
    expect(sent.map(textOf).toSorted()).toEqual(texts.toSorted());
    // Unaffected events keep their order.
    const fell = new Set(faulty.map(textOf));
    expect(sent.filter(({ fault }) => fault === undefined).map(textOf)).toEqual(
      texts.filter((text) => !fell.has(text)),
    );
  });

  test("late: events are sent days after the order, in event time", () => {
    const { faulty, sent } = only("late");
    expect(sent).toHaveLength(events.length);
    const days = faulty.map(read).map((event) => Date.parse(event.emitted_at) - Date.parse(event.ordered_at));
    const waited = days.filter((wait) => wait > 86_400_000 - 5000);
    // If the history ends earlier, the event is sent at the end.
    expect(waited.length).toBeGreaterThan(10);
    expect(new Set(rejections(sent))).toEqual(new Set([""]));
  });

  test("late, live: an order of several days ago in store-local time is sent now", () => {
    const { faulty, sent } = only("late", { live: true });
    const original = new Map(events.map((event) => [event.order_id, event]));
    for (const event of faulty.map(read)) {
      const before = original.get(event.order_id)!;
      expect(event.emitted_at).toBe(before.emitted_at);
      expect(event.ordered_at.slice(11, 19)).toBe(before.ordered_at.slice(11, 19));
      const days = (Date.parse(before.ordered_at) - Date.parse(event.ordered_at)) / 86_400_000;
      expect(days).toBeGreaterThan(0.9);
      expect(days).toBeLessThan(14.1);
    }
    // Across a clock change, the offset is that of the earlier day.
    const offsets = faulty.map(read).filter((event) => event.ordered_at < "2026-03-08" && event.store_id === "nyc-01");
    expect(new Set(offsets.map((event) => event.ordered_at.slice(19)))).toEqual(new Set(["-05:00"]));
    expect(new Set(rejections(sent))).toEqual(new Set([""]));
  });

  test.each(["amended", "cancelled", "refunded"] as const)("%s: a revision follows its order in time", (kind) => {
    const { sent, faulty, tally } = only(kind);
    expect(sent).toHaveLength(events.length + tally[kind]);
    const places = new Map(sent.map((outgoing, index) => [textOf(outgoing), index]));
    const placed = new Map(sent.filter(({ fault }) => fault === undefined).map((o) => [read(o).order_id, o]));
    for (const outgoing of faulty) {
      const revision = read(outgoing);
      const order = placed.get(revision.order_id)!;
      expect([revision.revision, revision.status]).toEqual([1, kind]);
      expect(revision.ordered_at).toBe(read(order).ordered_at);
      expect(revision.emitted_at > read(order).emitted_at).toBe(true);
      expect(places.get(textOf(order))).toBeLessThan(places.get(textOf(outgoing))!);
      expect(JSON.stringify(revision.lines) === JSON.stringify(read(order).lines)).toBe(kind !== "amended");
    }
    expect(new Set(rejections(sent))).toEqual(new Set([""]));
  });

  test("conflict: another payload has the same order and revision", () => {
    const { sent, faulty } = only("conflict");
    const first = new Map(sent.filter(({ fault }) => fault === undefined).map((o) => [read(o).order_id, read(o)]));
    for (const event of faulty.map(read)) {
      expect(event.revision).toBe(first.get(event.order_id)!.revision);
      expect(event.lines).not.toEqual(first.get(event.order_id)!.lines);
    }
    expect(new Set(rejections(sent))).toEqual(new Set([""]));
  });

  test("malformed: events are damaged in many ways, and none is accepted", () => {
    const { faulty } = only("malformed");
    const reasons = new Set(rejections(faulty));
    expect(reasons).not.toContain("");
    expect(reasons.size).toBeGreaterThan(3);
    expect(faulty.some(({ bytes }) => bytes.includes(0x0a))).toBe(true);
  });

  test("unknown_pizza and future: events are rejected for exactly that reason", () => {
    expect(new Set(rejections(only("unknown_pizza").faulty))).toEqual(new Set(["unknown_pizza"]));
    expect(new Set(rejections(only("future").faulty))).toEqual(new Set(["future_time"]));
  });

  test("gap: a number is missing before the event", () => {
    const { sent, faulty } = only("gap");
    const numbers = new Set(sent.map(read).map(({ producer }) => `${producer.producer_id} ${producer.seq}`));
    for (const { producer } of faulty.map(read)) {
      expect(numbers.has(`${producer.producer_id} ${producer.seq - 1}`)).toBe(false);
      expect(numbers.has(`${producer.producer_id} ${producer.seq - 2}`)).toBe(true);
    }
  });
});

test("live revisions follow within seconds", () => {
  const { faulty } = only("refunded", { live: true });
  for (const event of faulty.map(read)) {
    expect(Date.parse(event.emitted_at) - Date.parse(event.ordered_at)).toBeLessThan(30_000);
  }
});

test("faults are injected into an endless source as it is read", () => {
  const endless = simulateOrders({ seed: 1, menu, stores, patterns, clock: () => startAt });
  const first = Iterator.from(withFaults(endless, { seed: 1, stores, ...parseFaults("all") }))
    .take(100)
    .toArray();
  expect(first).toHaveLength(100);
});
