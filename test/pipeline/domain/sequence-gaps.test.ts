import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createProducerLedger, type Trace } from "../../../pipeline/domain/sequence-gaps.ts";

function gapsOf(...numbers: number[]) {
  const ledger = createProducerLedger();
  for (const number of numbers) ledger.note("till", number);
  return ledger.gaps();
}

describe("gaps in a till's numbers", () => {
  it("do not exist if every number arrived, in whatever order and however often", () => {
    expect(gapsOf(3, 1, 2, 2, 5, 4, 1)).toEqual([]);
    expect(gapsOf(10, 9, 11)).toEqual([]);
    expect(gapsOf(7)).toEqual([]);
    expect(gapsOf()).toEqual([]);
  });

  it("are listed as single numbers and as ranges", () => {
    expect(gapsOf(1, 3, 7, 8, 10)).toEqual([
      { producerId: "till", missing: 5, ranges: ["2", "4-6", "9"], maybeUnreadable: 0 },
    ]);
  });

  it("are exact up to the largest safe integer", () => {
    const top = Number.MAX_SAFE_INTEGER;
    expect(gapsOf(top, top - 2)).toMatchObject([{ producerId: "till", missing: 1, ranges: [`${top - 1}`] }]);
  });

  it("belong to the till that has them", () => {
    const ledger = createProducerLedger();
    for (const [till, number] of [
      ["a", 1],
      ["b", 1],
      ["b", 3],
      ["a", 2],
    ] as const)
      ledger.note(till, number);
    expect(ledger.producers).toBe(2);
    expect(ledger.gaps()).toMatchObject([{ producerId: "b", missing: 1, ranges: ["2"] }]);
  });

  it("and the numbers that arrived cover the whole range", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (numbers) => {
        const named = (gapsOf(...numbers)[0]?.ranges ?? []).flatMap((range) => {
          const [from, to = from] = range.split("-").map(Number);
          return Array.from({ length: to! - from! + 1 }, (_, i) => from! + i);
        });
        const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
        const whole = Array.from({ length: high - low + 1 }, (_, i) => low + i);
        expect([...numbers, ...named].toSorted((a, b) => a - b)).toEqual(whole);
      }),
    );
  });
});

describe("unreadable events", () => {
  function maybe(traces: Trace[][], ...numbers: number[]) {
    const ledger = createProducerLedger();
    for (const number of numbers) ledger.note("till", number);
    for (const trace of traces) ledger.noteUnreadable(trace);
    return ledger.gaps().map(({ missing, maybeUnreadable }) => [missing, maybeUnreadable]);
  }
  const [whole, other] = [{ producerId: "till" }, { producerId: "other" }];
  const range = (from: number, to = from) => ({ producerId: "till", from, to });

  it("may explain one number each, if their trace leads there", () => {
    expect(maybe([[whole], [other], []], 1, 4)).toEqual([[2, 1]]);
    expect(maybe([[whole], [other, whole], [whole]], 1, 4)).toEqual([[2, 2]]);
    expect(maybe([[whole]], 1, 3, 5)).toEqual([[2, 1]]);
    expect(maybe([[range(2, 3)]], 1, 4, 6)).toEqual([[3, 1]]);
    expect(maybe([[range(7, 9)]], 1, 4)).toEqual([[2, 0]]);
  });

  it("explain one number together if they are copies of one event", () => {
    expect(maybe([[range(2)], [range(2)]], 1, 4)).toEqual([[2, 1]]);
    expect(maybe([[range(2)], [range(3)]], 1, 4)).toEqual([[2, 2]]);
  });

  it("do not create a gap", () => {
    expect(maybe([[range(99)], [range(2)]], 1, 2)).toEqual([]);
  });

  it("are assigned starting with the narrowest trace", () => {
    expect(maybe([[whole], [range(2)]], 1, 3, 5)).toEqual([[2, 2]]);
  });
});
