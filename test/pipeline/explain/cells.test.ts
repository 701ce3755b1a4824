import { expect, it } from "vitest";
import { divide, showHundredths } from "../../../pipeline/explain/cells.ts";

it.each([
  [1n, 2n, 1n],
  [-1n, 2n, -1n],
  [1n, 3n, 0n],
  [-2n, -3n, 1n],
  [5n, -10n, -1n],
  [0n, 7n, 0n],
  [7n, 0n, undefined],
])("%d / %d is %d, halves away from zero", (part, whole, result) => {
  expect(divide(part, whole)).toBe(result);
});

it.each([
  [0n, "0.00"],
  [5n, "0.05"],
  [-5n, "-0.05"],
  [81_786_005n, "817860.05"],
])("%d hundredths are %s", (value, text) => {
  expect(showHundredths(value)).toBe(text);
});
