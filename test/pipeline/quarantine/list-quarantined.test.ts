import { expect, it } from "vitest";
import { quarantinedAmount } from "../../../pipeline/quarantine/list-quarantined.ts";

const line = { quantity: 2, unit_price: 13.25 };

it.each<[string, string, number | undefined]>([
  ["an order of two lines", JSON.stringify({ lines: [line, { quantity: 1, unit_price: 0.1 }] }), 2660],
  ["a cancelled order", JSON.stringify({ status: "cancelled", lines: [line] }), 0],
  ["an order without lines", JSON.stringify({ lines: [] }), 0],
  ["a price that is a text", JSON.stringify({ lines: [{ ...line, unit_price: "13.25" }] }), undefined],
  ["a price beyond all money", JSON.stringify({ lines: [{ ...line, unit_price: 1e300 }] }), undefined],
  ["no JSON", "{", undefined],
  ["no order", "17", undefined],
  ["null lines", '{"lines":[null]}', undefined],
])("%s", (_, payload, cents) => {
  expect(quarantinedAmount(payload)).toBe(cents);
});
