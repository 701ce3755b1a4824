import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createProducerLedger } from "../../lambdas/domain/producer-gaps.ts";

function gapsOf(...numbers: number[]) {
  const ledger = createProducerLedger();
  for (const number of numbers) ledger.note("till", number);
  return ledger.gaps();
}

describe("gaps in a till's numbers", () => {
  it("are none where every number came, in whatever order and however often", () => {
    expect(gapsOf(3, 1, 2, 2, 5, 4, 1)).toEqual([]);
    expect(gapsOf(10, 9, 11)).toEqual([]);
    expect(gapsOf(7)).toEqual([]);
    expect(gapsOf()).toEqual([]);
  });

  it("are named one by one and as ranges", () => {
    expect(gapsOf(1, 3, 7, 8, 10)).toEqual([{ producerId: "till", missing: 5, ranges: ["2", "4-6", "9"] }]);
  });

  it("are measured to the last digit of the largest number", () => {
    const top = Number.MAX_SAFE_INTEGER;
    expect(gapsOf(top, top - 2)).toEqual([{ producerId: "till", missing: 1, ranges: [`${top - 1}`] }]);
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
    expect(ledger.gaps()).toEqual([{ producerId: "b", missing: 1, ranges: ["2"] }]);
  });

  it("and what came make up the whole range", () => {
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
