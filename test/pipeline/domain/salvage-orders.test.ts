import { expect, it } from "vitest";
import { amountIn, salvageOrders } from "../../../pipeline/domain/salvage-orders.ts";

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

const [first, second] = ["a", "b"].map((order_id) => JSON.stringify({ order_id, store_id: "s", lines: [line] }));

it.each<[string, string, string[], number | undefined]>([
  ["two events on a line", `${first}${second}x`, ["a 2650", "b 2650"], 5300],
  ["events in an envelope", `{"x":1,"events":[${first},${second}]}`, ["a 2650", "b 2650"], 5300],
  ["events of which the last is cut off", `${first},${second!.slice(0, -2)}`, ["a 2650", "b 2650"], 5300],
  [
    "a cancelled event that is cut off",
    `${first}{"order_id":"c","status":"cancelled","lines":[{"quantity":1,"unit_price":2.5},`,
    ["a 2650", "c 0"],
    2650,
  ],
  [
    "a price that is cut off",
    `{"order_id":"c","lines":[{"unit_price":2.5,"quantity":3},{"quantity":1,"unit_price":2.5`,
    ["c 750"],
    750,
  ],
  ["events in a JSON string", JSON.stringify(`${first}${second}`), ["a 2650", "b 2650"], 5300],
  ["the same event twice", `${first}${first}x`, ["a 2650"], 2650],
  ["text in UTF-16", Buffer.from(`${first}${second}`, "utf16le").toString(), ["a 2650", "b 2650"], 5300],
])("what can be seen of the orders in %s", (_, text, orders, cents) => {
  expect(salvageOrders(text).map(({ orderId, cents: each }) => `${orderId} ${each}`)).toEqual(orders);
  expect(amountIn(text)).toBe(cents);
});

it("many orders, or objects that never end, are scanned in linear time", () => {
  const started = performance.now();
  const many = salvageOrders(Array.from({ length: 300_000 }, (_, n) => `{"order_id":"${n}",\n`).join(""));
  // As many as a record may have events, and one without a name for all others, which keeps the row open.
  expect(many).toHaveLength(100_001);
  expect(many.at(-2)).toMatchObject({ orderId: "99999" });
  expect(many.at(-1)).toMatchObject({ orderId: "...", storeId: null });
  expect(salvageOrders(`${'{"a":['.repeat(500_000)}${first}`)).toHaveLength(1);
  expect(performance.now() - started).toBeLessThan(8000);
});
