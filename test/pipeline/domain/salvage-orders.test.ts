import { expect, it } from "vitest";
import { amountIn } from "../../../pipeline/domain/salvage-orders.ts";

const line = { quantity: 2, unit_price: 13.25 };

it.each<[string, string, number | undefined]>([
  ["an order of two lines", JSON.stringify({ lines: [line, { quantity: 1, unit_price: 0.1 }] }), 2660],
  ["a cancelled order", JSON.stringify({ status: "cancelled", lines: [line] }), 0],
  ["an order without lines", JSON.stringify({ lines: [] }), 0],
  ["a price that is text", JSON.stringify({ lines: [{ ...line, unit_price: "13.25" }] }), undefined],
  ["an impossibly large price", JSON.stringify({ lines: [{ ...line, unit_price: 1e300 }] }), undefined],
  ["text that is not JSON", "{", undefined],
  ["JSON that is not an order", "17", undefined],
  ["null lines", '{"lines":[null]}', undefined],
])("the quarantined amount of %s", (_, payload, cents) => {
  expect(amountIn(payload)).toBe(cents);
});
