import { describe, expect, it } from "vitest";
import { createProducerLedger } from "../../../pipeline/domain/sequence-gaps.ts";
import { emptyTally, parseFaults } from "../../../producer/fault-kinds.ts";
import { withFaults } from "../../../producer/faults.ts";
import { simulateOrders } from "../../../producer/simulator.ts";
import { noteProducers, readProducers, type SeenProducer } from "../../../pipeline/reconciliation/read-producer.ts";
import { event } from "../quality/messy-day.ts";
import { menu, patterns, stores } from "../../producer/project-data.ts";

const read = (bytes: Uint8Array) => readProducers(Buffer.from(bytes));
const text = JSON.stringify(event(12, "a"));
const producer = { producer_id: "till-1", seq: 12 };

describe("the till of a rejected event", () => {
  it.each<[what: string, bytes: Uint8Array, seen: SeenProducer]>([
    ["is read from JSON that violates the contract", Buffer.from(text.replace("{", '{"total":1,')), producer],
    ["is salvaged next to invalid UTF-8", withByte(40, 0xff), trace(12)],
    ["is salvaged after a damaged quote", withByte(1, 0x20), trace(12)],
    ["is salvaged if the event is truncated after its name", cut(text.indexOf('"seq"')), trace()],
    ["is salvaged if the number is truncated too", cut(text.indexOf("12}") + 2), trace()],
    ["is salvaged if its number is not a number", Buffer.from(text.replace("12}", '"12"}')), trace()],
    ["is unknown if its name is truncated", cut(text.indexOf("till-1") + 3), undefined],
    ["is not guessed from any other text", Buffer.from("garbage about till-1 and 12"), undefined],
    ["is salvaged from an event that is too large", Buffer.from(text + " ".repeat(70_000)), trace(12)],
  ])("%s", (_, bytes, seen) => {
    expect(read(bytes)).toEqual([seen]);
  });

  it("is salvaged for each event that unreadable bytes show", () => {
    const other = text.replace("till-1", "till-2").replace('"seq":12', '"seq":7');
    expect(read(Buffer.from(`${text}${other}garbage`))).toEqual([
      trace(12),
      { trace: { producerId: "till-2", from: 7, to: 7 } },
    ]);
  });

  function trace(seq?: number): SeenProducer {
    return { trace: { producerId: "till-1", ...(seq !== undefined && { from: seq, to: seq }) } };
  }
  function withByte(index: number, byte: number): Uint8Array {
    return Buffer.from(text).fill(byte, index, index + 1);
  }
  function cut(end: number): Uint8Array {
    return Buffer.from(text.slice(0, end));
  }
});

describe("the unreadable events of a record", () => {
  const till = (producer_id: string) => (seq: number) => ({ producer_id, seq });
  const [a, b] = [till("a"), till("b")];
  const maybe = (seen: SeenProducer[], partitionKey = "lane-0") => {
    const ledger = createProducerLedger();
    for (const seq of [1, 9]) for (const producerId of ["a", "b"]) ledger.note(producerId, seq);
    noteProducers(ledger, seen, partitionKey);
    return Object.fromEntries(ledger.gaps().map(({ producerId, maybeUnreadable }) => [producerId, maybeUnreadable]));
  };

  it("may explain missing numbers of the tills around them, one per event", () => {
    expect(maybe([a(2), undefined, a(4)])).toEqual({ a: 1, b: 0 });
    expect(maybe([a(2), b(2), undefined, undefined, a(8)])).toEqual({ a: 2, b: 0 });
    expect(maybe([a(7), undefined, a(9), b(2), undefined, b(4)])).toEqual({ a: 1, b: 1 });
  });

  it("may explain numbers after its last ones and before its first ones, as many as there are such events", () => {
    expect(maybe([b(3), a(8), undefined, undefined, undefined])).toEqual({ a: 0, b: 3 });
    expect(maybe([undefined, undefined, a(9)])).toEqual({ a: 2, b: 0 });
  });

  it("explain nothing if the numbers around them are consecutive", () => {
    expect(maybe([a(7), undefined, a(8), a(9), undefined])).toEqual({ a: 0, b: 0 });
    expect(maybe([undefined, a(1), a(9), undefined])).toEqual({ a: 0, b: 0 });
    expect(maybe([undefined])).toEqual({ a: 0, b: 0 });
  });

  it("may explain a number of the till that the partition key names", () => {
    expect(maybe([undefined], "b")).toEqual({ a: 0, b: 1 });
  });
});

describe("the simulated producer's events", () => {
  const startAt = Date.parse("2026-03-01T00:00:00Z");
  const orders = [...simulateOrders({ seed: 7, menu, stores, patterns, startAt, orders: 3000 })];
  const gapsOf = (faults: string, seed: number) => {
    const stream = withFaults(orders, { ...parseFaults(faults), seed, stores });
    const ledger = createProducerLedger();
    for (const { bytes } of stream) noteProducers(ledger, read(bytes), "lane-0");
    return { tally: { ...emptyTally(), ...stream.tally }, gaps: ledger.gaps() };
  };

  it("have no gap with every fault except gaps, for any seed", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { tally, gaps } = gapsOf("all=0.05,gap=0", seed);
      expect(tally.malformed).toBeGreaterThan(100);
      expect(gaps).toEqual([]);
    }
  });

  it("have exactly the gaps that the gap fault made", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { tally, gaps } = gapsOf("all=0.05", seed);
      expect(gaps.reduce((sum, { missing }) => sum + missing, 0)).toBe(tally.gap);
    }
  });
});
