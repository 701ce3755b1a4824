import { describe, expect, it } from "vitest";
import { createCatalog } from "../../../pipeline/domain/catalog.ts";
import { OrderScanner } from "../../../pipeline/domain/scan-order.ts";
import { checkOrder } from "../../../pipeline/domain/check-order.ts";
import { reasons } from "../../../pipeline/domain/rejection-reasons.ts";
import { catalog, micros, order } from "../../support/order-fixture.ts";

const arrivedAt = micros("2015-01-01T16:38:38Z");

function check(text: string) {
  return checkOrder(text, arrivedAt, catalog);
}

function reasonFor(changes: Record<string, unknown>) {
  const result = check(JSON.stringify(order(changes)));
  return "rejection" in result ? result.rejection.reason : "accepted";
}

function second(changes: Record<string, unknown>) {
  return { schema_version: 2, ...changes };
}

function line(changes: Record<string, unknown>) {
  return { lines: [{ line_no: 1, pizza_id: "hawaiian_m", quantity: 1, unit_price: 13.25, ...changes }] };
}

describe("an order", () => {
  it("has its business date and hour in store-local time, and its timestamps in UTC", () => {
    const checked = check(JSON.stringify(order({ ordered_at: "2014-12-31T23:30:00-05:00" })));
    expect(checked).toMatchObject({
      orderDate: "2014-12-31",
      orderHour: 23,
      orderedAt: micros("2015-01-01T04:30:00Z"),
    });
  });

  it.each([
    // An offset that the store's zone has, or UTC: the same moment is the same hour of the same day.
    ["nyc-01", "2015-01-02T21:30:00-05:00", "2015-01-02 21", undefined],
    ["nyc-01", "2015-01-03T02:30:00Z", "2015-01-02 21", 0],
    ["nyc-01", "2015-01-06T10:00:00+14:00", "2015-01-05 15", 840],
    ["nyc-01", "2000-01-01T00:10:00+00:00", "1999-12-31 19", 0],
    // Clocks go forward at 2 and back at 2: hours that do not exist, and one that comes twice.
    ["nyc-01", "2015-03-08T01:59:59-05:00", "2015-03-08 1", undefined],
    ["nyc-01", "2015-03-08T02:30:00-05:00", "2015-03-08 3", -300],
    ["nyc-01", "2015-03-08T03:00:00-04:00", "2015-03-08 3", undefined],
    ["nyc-01", "2015-11-01T01:30:00-04:00", "2015-11-01 1", undefined],
    ["nyc-01", "2015-11-01T01:30:00-05:00", "2015-11-01 1", undefined],
    ["nyc-01", "2015-07-01T23:59:59-05:00", "2015-07-02 0", -300],
    ["del-01", "2015-07-01T00:15:00+05:30", "2015-07-01 0", undefined],
    ["del-01", "2015-06-30T18:45:00Z", "2015-07-01 0", 0],
    ["lord-howe-01", "2015-04-05T01:45:00+10:30", "2015-04-05 1", undefined],
  ])("of %s at %s has the date %s in the store's time zone", (store_id, ordered_at, booked, wrongOffset) => {
    const stores = [
      ["nyc-01", "America/New_York"],
      ["del-01", "Asia/Kolkata"],
      ["lord-howe-01", "Australia/Lord_Howe"],
    ].map(([id, time_zone]) => ({ store_id: id!, city: "", state: "", time_zone: time_zone! }));
    const world = createCatalog([...catalog.pizzas.values()].flat(), stores);
    const text = JSON.stringify(order({ store_id, ordered_at }));
    const scanner = new OrderScanner({ catalog: world, customerKey: (id) => id });
    const late = micros("2016-01-01T00:00:00Z");
    for (const checked of [checkOrder(text, late, world), scanner.scan(Buffer.from(text), 0, late)!]) {
      if ("rejection" in checked) throw new Error(checked.rejection.detail);
      const { orderDate, orderHour } = checked;
      expect([`${orderDate} ${orderHour}`, checked.wrongOffset]).toEqual([booked, wrongOffset]);
    }
  });

  it("may have no customer", () => {
    const { customer: _, ...anonymous } = order();
    expect(check(JSON.stringify(anonymous))).not.toHaveProperty("rejection");
  });

  it.each([
    ["missing_field", { producer: undefined }],
    ["unknown_key", { tip: 3 }],
    ["wrong_type", { order_id: 17 }],
    ["invalid_value", { order_id: "" }],
    ["invalid_value", { order_id: "two words" }],
    ["invalid_value", { revision: -1 }],
    ["invalid_value", { lines: [] }],
    ["unknown_key", { promotion_code: "FRIDAY" }],
    ["unsupported_schema_version", { schema_version: 99 }],
    ["unsupported_schema_version", { schema_version: 99, tip: 3 }],
    ["unsupported_schema_version", { schema_version: "2" }],
    ["accepted", second({})],
    ["accepted", second({ promotion_code: "FRIDAY", tip: 3.05 })],
    ["accepted", second({ tip: 0 })],
    ["accepted", second({ tip: 10_000 })],
    ["unknown_key", second({ gratuity: 3 })],
    ["wrong_type", second({ tip: "3" })],
    ["accepted", second({ tip: null, promotion_code: null, customer: null })],
    ["accepted", { tip: null }],
    [
      "accepted",
      { customer: { customer_id: "c", name: null, email: null, phone: null, city: null, postal_code: null } },
    ],
    ["wrong_type", { customer: { customer_id: null } }],
    ["wrong_type", { producer: null }],
    ["unknown_key", { gratuity: null }],
    ["accepted", { customer: { customer_id: "\u{1f355}".repeat(64), name: "\u{1f355}".repeat(200) } }],
    ["invalid_value", { customer: { customer_id: "\u{1f355}".repeat(65) } }],
    ["accepted", { producer: { producer_id: "\u{1f355}".repeat(64), seq: 1 } }],
    ["accepted", { ordered_at: "2015-01-01 11:38:36.123456789-0500" }],
    ["money_out_of_range", second({ tip: -1 })],
    ["money_out_of_range", second({ tip: 10_000.01 })],
    ["money_precision", second({ tip: 3.005 })],
    ["wrong_type", second({ promotion_code: 7 })],
    ["invalid_value", second({ promotion_code: "" })],
    ["invalid_value", second({ promotion_code: "two words" })],
    ["invalid_value", second({ promotion_code: "x".repeat(33) })],
    ["unknown_status", { status: "eaten" }],
    ["unknown_channel", { channel: "drone" }],
    ["unknown_store", { store_id: "par-01" }],
    ["unknown_pizza", line({ pizza_id: "calzone_m" })],
    ["quantity_out_of_range", line({ quantity: 0 })],
    ["quantity_out_of_range", line({ quantity: 101 })],
    ["quantity_out_of_range", line({ quantity: 1.5 })],
    ["wrong_type", line({ quantity: "1" })],
    ["money_out_of_range", line({ unit_price: -1 })],
    ["money_out_of_range", line({ unit_price: 1e308 })],
    ["money_precision", line({ unit_price: 13.255 })],
    ["price_off_menu", line({ unit_price: 13.24 })],
    ["invalid_time", { ordered_at: "yesterday" }],
    ["invalid_time", { emitted_at: "2015-02-30T00:00:00Z" }],
    ["future_time", { ordered_at: "2015-01-01T16:43:38.000001Z" }],
    ["accepted", { ordered_at: "2015-01-01T16:43:38Z" }],
    ["forbidden_character", { customer: { customer_id: "c", name: "nul \0" } }],
    ["too_many_lines", { lines: Array.from({ length: 201 }, (_, i) => ({ ...order().lines[0], line_no: i + 1 })) }],
    ["duplicate_line_no", { lines: [order().lines[0], order().lines[0]] }],
    ["too_deep", { customer: { customer_id: nested(17) } }],
    ["wrong_type", { customer: { customer_id: nested(12) } }],
  ] as [string, Record<string, unknown>][])("is classified as %s for %j", (reason, changes) => {
    expect(reasonFor(changes)).toBe(reason);
  });

  it("is rejected for what JSON parsing would hide", () => {
    const text = JSON.stringify(order());
    const cases = [
      ["not_json", text.slice(0, -1)],
      ["not_json", ""],
      ["not_json", "\uFEFF" + text],
      ["wrong_type", "[]"],
      ["wrong_type", "null"],
      ["unknown_key", text.replace("{", '{"__proto__":{"revision":1},')],
      ["unknown_key", text.replace('"customer":{', '"customer":{"__proto__":null,')],
      ["duplicate_key", text.replace('"status":', '"status":"cancelled","status":')],
      ["duplicate_key", text.replace('"status":', '"st\\u0061tus":"cancelled","status":')],
      ["duplicate_key", text.replace('"quantity":', '"quantity":7,"quantity":')],
      ["duplicate_key", text.replace('"customer":{', '"customer":{"name":":","name":"\\":",')],
      ["duplicate_key", text.replace("{", '{"tip":null,"tip":null,')],
      ["duplicate_key", text.replace("{", '{"x":[[{"":1,"":2}]],')],
      ["duplicate_key", text.replace("{", '{"__proto__":1,"__proto__":2,')],
      ["forbidden_character", text.replace("Ada", "\\ud83c")],
      ["money_out_of_range", text.replace("13.25", "1e999")],
      ["money_out_of_range", text.replace('"schema_version":1', '"schema_version":2,"tip":1e999')],
      ["too_deep", "[".repeat(10_000) + "]".repeat(10_000)],
    ];
    expect(
      cases.map(([, bad]) => check(bad!)).map((result) => "rejection" in result && result.rejection.reason),
    ).toEqual(cases.map(([reason]) => reason));
  });

  it("is accepted with an emoji in the customer's name", () => {
    expect(check(JSON.stringify(order({ customer: { customer_id: "c", name: "🍕" } })))).not.toHaveProperty(
      "rejection",
    );
    expect(check(JSON.stringify(order()).replace("Ada", "\\ud83c\\udf55"))).not.toHaveProperty("rejection");
  });

  it("is rejected with a sentence that names the field and its value", () => {
    const result = check(JSON.stringify(order(line({ unit_price: 9.99 }))));
    expect(result).toEqual({
      rejection: { reason: "price_off_menu", detail: "lines[0].unit_price 9.99: the price is not the menu's" },
    });
  });

  it("names a key of version 2 in an event of version 1", () => {
    expect(check(JSON.stringify(order({ tip: 3 })))).toEqual({
      rejection: { reason: "unknown_key", detail: "event.tip 3: the event has a key that is not in the contract" },
    });
  });

  it("names a duplicate key", () => {
    expect(check(JSON.stringify(order()).replace('"seq":', '"seq":2,"seq":'))).toEqual({
      rejection: {
        reason: "duplicate_key",
        detail: 'key "seq": an object has the same key twice, so that readers may take either value',
      },
    });
  });

  it.each([["noon"], [1420130316], ["2015-01-01T11:38:36"], ["x".repeat(65)]])(
    "explains how to write a time instead of %j",
    (time) => {
      const result = check(JSON.stringify(order({ ordered_at: time as string })));
      expect("rejection" in result && result.rejection.detail).toContain("2015-01-02T12:00:00-05:00");
    },
  );

  it.each(["2015-01-01T16:38:36z", "2015-01-01 16:38 +0000", "2015-01-01T16:38:36+00"])(
    "reads the offset of %s",
    (time) => {
      expect(check(JSON.stringify(order({ ordered_at: time })))).toMatchObject({ orderHour: 11, wrongOffset: 0 });
    },
  );

  it("omits optional fields that are null", () => {
    const result = check(JSON.stringify(order({ customer: null as never, tip: null as never })));
    expect("event" in result && Object.keys(result.event)).not.toEqual(expect.arrayContaining(["customer"]));
    expect("event" in result && "tip" in result.event).toBe(false);
  });

  it("accepts exactly the menu price, to the cent", () => {
    for (let cents = 0; cents <= 20_000; cents++) {
      const price = Number((cents / 100).toFixed(2));
      expect(reasonFor(line({ unit_price: price })), `${price}`).toBe(cents === 1325 ? "accepted" : "price_off_menu");
    }
  });

  it("has only reasons from the closed list", () => {
    expect(Object.keys(reasons)).toContain(reasonFor({ tip: 1 }));
    expect(Object.keys(reasons)).toHaveLength(27);
  });
});

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}
