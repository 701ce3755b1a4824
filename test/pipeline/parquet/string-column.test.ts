import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareText, lowerBound, upperBound } from "../../../pipeline/parquet/string-column.ts";

const texts = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 80 }),
    fc
      .array(fc.constantFrom("a", "\uffff", "\ue000", "\u{10000}", "\u{10ffff}"), { maxLength: 40, size: "max" })
      .map((parts) => parts.join("")),
  )
  .map((text) => text.toWellFormed());

describe("the order of texts", () => {
  test("is that of their UTF-8 bytes", () => {
    fc.assert(
      fc.property(texts, texts, (left, right) => {
        expect(Math.sign(compareText(left, right))).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)));
      }),
      { numRuns: 2000 },
    );
  });

  test("holds for the short bounds of a long text", () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(compareText(lowerBound(text), text)).toBeLessThanOrEqual(0);
        expect(compareText(upperBound(text), text)).toBeGreaterThanOrEqual(0);
        expect(lowerBound(text).isWellFormed() && upperBound(text).isWellFormed()).toBe(true);
        expect(lowerBound(text).length).toBeLessThanOrEqual(32);
      }),
      { numRuns: 2000 },
    );
  });
});
