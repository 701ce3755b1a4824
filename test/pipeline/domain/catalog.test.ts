import { describe, expect, it } from "vitest";
import { createCatalog, type Pizza, type Store, validOn } from "../../../pipeline/domain/catalog.ts";
import { checkOrder } from "../../../pipeline/domain/check-order.ts";
import { OrderScanner } from "../../../pipeline/domain/scan-order.ts";
import { catalog as plain, micros, order } from "../../support/order-fixture.ts";

const [hawaiian] = plain.pizzas.get("hawaiian_m") as [Pizza];
const [newYork] = plain.stores.get("nyc-01") as [Store];
const march = "2015-03-01";
const until = { ...hawaiian, valid_to: march };
const from = { ...hawaiian, price_cents: 1450, valid_from: march };
const catalogOf = (...menu: Pizza[]) => createCatalog(menu, [newYork]);

describe("a catalog", () => {
  it("finds the version that is valid on each day, whatever the order in the file", () => {
    const versions = catalogOf({ ...from, valid_to: "2015-05-01" }, until).pizzas.get("hawaiian_m");
    const days = ["1999-01-01", "2015-02-28", "2015-03-01", "2015-04-30", "2015-05-01"];
    expect(days.map((day) => validOn(versions, day)?.price_cents)).toEqual([1325, 1325, 1450, 1450, undefined]);
    expect(validOn(catalogOf(from).pizzas.get("hawaiian_m"), "2015-02-28")).toBeUndefined();
    expect(validOn(undefined, march)).toBeUndefined();
  });

  it.each([
    ["two without a range", [hawaiian, hawaiian], /hawaiian_m: its ranges overlap: one ends never, the next begins wi/],
    ["an overlap", [until, { ...from, valid_from: "2015-02-28" }], /overlap: one ends on 2015-03-01.* on 2015-02-28/],
    ["a gap", [until, { ...from, valid_from: "2015-03-02" }], /leave a gap: one ends on 2015-03-01, .* on 2015-03-02/],
    ["an empty range", [{ ...from, valid_to: march }], /valid_from 2015-03-01 is not before valid_to/],
    [
      "a date that does not exist",
      [{ ...from, valid_from: "2015-02-30" }],
      /2015-02-30 is not a date; write it as 2026-03-01/,
    ],
    ["a date in another format", [{ ...from, valid_from: "2015-3-1" }], /2015-3-1 is not a date/],
    ["another size", [until, { ...from, size: "L" }], /hawaiian_m has a different size in a later range/],
  ])("rejects %s with an explanation", (_, menu, sentence) => {
    expect(() => catalogOf(...menu)).toThrow(sentence);
    expect(() => catalogOf(...menu)).toThrow("data/menu.json");
  });

  it("rejects the same for stores", () => {
    expect(() => createCatalog([hawaiian], [newYork, { ...newYork, valid_from: march }])).toThrow(
      "data/stores.json: nyc-01: its ranges overlap",
    );
  });

  it.each([
    ["time_zone", { time_zone: "America/Chicago" }],
    ["state", { state: "New Jersey" }],
    ["city", { city: "Newark" }],
  ])("rejects a store that changes its %s: a store that moves gets a new id", (field, change) => {
    const moved = [
      { ...newYork, valid_to: march },
      { ...newYork, ...change, valid_from: march },
    ];
    expect(() => createCatalog([hawaiian], moved)).toThrow(
      `data/stores.json: nyc-01 has a different ${field} in a later range; give a store that moves a new store_id`,
    );
  });

  it("rejects a store in a time zone that does not exist", () => {
    expect(() => createCatalog([hawaiian], [{ ...newYork, time_zone: "America/Springfield" }])).toThrow(
      "data/stores.json: nyc-01 has the unknown time zone America/Springfield",
    );
  });
});

describe("an order under a menu that changes", () => {
  const moved = [
    { ...newYork, valid_to: march },
    { ...newYork, valid_from: march, valid_to: "2015-04-01" },
  ];
  const dated = createCatalog([until, { ...from, valid_to: "2015-05-01" }], moved);
  const scanner = new OrderScanner({ catalog: dated, customerKey: (id) => id });
  const arrivedAt = micros("2016-01-01T00:00:00Z");
  const verdictOn = (ordered_at: string, unit_price: number) => {
    const sent = JSON.stringify(order({ ordered_at, lines: [{ ...order().lines[0], unit_price }] }));
    const checked = checkOrder(sent, arrivedAt, dated);
    const scanned = scanner.scan(Buffer.from(sent), 0, arrivedAt);
    expect(scanned !== undefined, `${ordered_at}: both ways`).toBe(!("rejection" in checked));
    return "rejection" in checked ? checked.rejection.reason : "accepted";
  };

  it.each([
    ["2015-02-28T23:59:59-05:00", 13.25, "accepted"],
    ["2015-02-28T23:59:59-05:00", 14.5, "price_off_menu"],
    ["2015-03-01T00:00:00-05:00", 14.5, "accepted"],
    ["2015-03-01T00:00:00-05:00", 13.25, "price_off_menu"],
    ["2015-04-01T00:00:00-05:00", 14.5, "unknown_store"],
  ])("of %s at %d is %s, by the store's local date", (orderedAt, price, verdict) => {
    expect(verdictOn(orderedAt, price)).toBe(verdict);
  });

  it("is rejected if the pizza is no longer on the menu", () => {
    const open = createCatalog([until], [newYork]);
    const sent = JSON.stringify(order({ ordered_at: "2015-03-01T10:00:00-05:00" }));
    expect(checkOrder(sent, arrivedAt, open)).toMatchObject({ rejection: { reason: "unknown_pizza" } });
  });
});
