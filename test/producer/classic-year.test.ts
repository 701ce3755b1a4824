import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createCatalog, type Pizza } from "../../pipeline/domain/catalog.ts";
import { checkOrder } from "../../pipeline/domain/check-order.ts";
import { classicOrders } from "../../producer/classic-year.ts";
import type { StoreProfile } from "../../producer/tills.ts";
import { offsetMinutes } from "../../pipeline/domain/wall-clock.ts";
import { csv, menu, stores } from "./project-data.ts";

const events = [...classicOrders({ csv, menu, stores })];

describe("the classic year as events", () => {
  test("has the data's totals, to the cent", () => {
    const lines = events.flatMap((event) => event.lines);
    expect(events).toHaveLength(21_350);
    expect(lines).toHaveLength(48_620);
    expect(lines.reduce((sum, line) => sum + line.quantity, 0)).toBe(49_574);
    expect(lines.reduce((sum, line) => sum + line.quantity * Math.round(line.unit_price * 100), 0)).toBe(81_786_005);
  });

  test("keeps the data's order and local times", () => {
    const rows = csv.trimEnd().split("\n").slice(1);
    const expected = rows.map((row) => row.split(",").slice(0, 3));
    const found = events.map((event) => [
      String(Number(event.order_id.replace("2015-", ""))),
      event.ordered_at.slice(0, 10),
      event.ordered_at.slice(11, 19),
    ]);
    expect(found).toEqual(expected);
  });

  test("is the same on every call, byte for byte, and different with another seed", () => {
    const again = [...classicOrders({ csv, menu, stores })];
    expect(JSON.stringify(again)).toBe(JSON.stringify(events));
    const [other] = classicOrders({ csv, menu, stores, seed: 1 });
    expect(JSON.stringify(other)).not.toBe(JSON.stringify(events[0]));
  });

  test("has not changed since it was first published", () => {
    const hash = createHash("sha256");
    for (const event of events) hash.update(`${JSON.stringify(event)}\n`);
    expect(hash.digest("hex")).toBe("cc0f687457fdec7f9b5d60af15ac33f96f8ba67a3ecfc34de76edf7b3ec23b2b");
  });

  test("does not change when prices, pizzas and stores are added for later dates", () => {
    const from = "2027-03-01";
    const [pizza, ...others] = menu as [Pizza, ...Pizza[]];
    const changed = { ...pizza, valid_from: from, price_cents: pizza.price_cents + 100 };
    const laterMenu = [
      { ...pizza, valid_to: from },
      changed,
      ...others,
      { ...pizza, pizza_id: "new_m", valid_from: from },
    ];
    const [store, second, ...rest] = stores as [StoreProfile, StoreProfile, ...StoreProfile[]];
    const laterStores = [
      { ...store, store_id: "new-01", valid_from: from },
      { ...store, valid_to: from },
      { ...store, valid_from: from, tills: 9 },
      { ...second, valid_to: from },
      ...rest,
    ];
    const later = [...classicOrders({ csv, menu: laterMenu, stores: laterStores })];
    expect(JSON.stringify(later)).toBe(JSON.stringify(events));
  });

  test("has only events that the contract accepts", () => {
    const catalog = createCatalog(menu, stores);
    const rejected = events
      .map((event) => checkOrder(JSON.stringify(event), Date.parse(event.emitted_at) * 1000, catalog))
      .filter((verdict) => "rejection" in verdict);
    expect(rejected).toEqual([]);
  });

  test("has each store's UTC offset, in summer and winter", () => {
    const zones = new Map(stores.map((store) => [store.store_id, store.time_zone]));
    for (const { store_id, ordered_at } of events) {
      const offset = Number(ordered_at.slice(20, 22)) * 60 + Number(ordered_at.slice(23, 25));
      expect(ordered_at[19] === "-" ? -offset : offset).toBe(
        offsetMinutes(zones.get(store_id)!, Date.parse(ordered_at)),
      );
    }
    const newYork = events.filter((event) => event.store_id === "nyc-01").map((event) => event.ordered_at);
    expect(newYork.filter((at) => at.startsWith("2015-03-07")).every((at) => at.endsWith("-05:00"))).toBe(true);
    expect(newYork.filter((at) => at.startsWith("2015-03-09")).every((at) => at.endsWith("-04:00"))).toBe(true);
    expect(newYork.some((at) => at.startsWith("2015-03-09"))).toBe(true);
  });

  test("comes from each store's tills, which count from 1 and send in chronological order", () => {
    const tills = Map.groupBy(events, (event) => event.producer.producer_id);
    expect(tills.size).toBe(stores.reduce((sum, store) => sum + store.tills, 0));
    for (const sent of tills.values()) {
      expect(sent.map((event) => event.producer.seq)).toEqual(sent.map((_, index) => index + 1));
      const emitted = sent.map((event) => event.emitted_at);
      expect(emitted).toEqual(emitted.toSorted());
    }
  });

  test("has sending times shortly after the order", () => {
    for (const event of events) {
      const delay = Date.parse(event.emitted_at) - Date.parse(event.ordered_at);
      // An order right after another one of the same till waits for it.
      expect(delay).toBeGreaterThanOrEqual(1000);
      expect(delay).toBeLessThanOrEqual(4000);
    }
  });

  test("has returning guests, one-time guests and guests without a name", () => {
    const visits = [...Map.groupBy(events, (event) => event.customer?.customer_id ?? "").entries()];
    const named = visits.filter(([id]) => id !== "").map(([, orders]) => orders.length);
    const unnamed = events.filter((event) => event.customer === undefined).length / events.length;
    expect(unnamed).toBeGreaterThan(0.2);
    expect(unnamed).toBeLessThan(0.45);
    expect(named.filter((count) => count === 1).length / named.length).toBeGreaterThan(0.4);
    expect(Math.max(...named)).toBeGreaterThan(20);
    expect(Math.max(...named)).toBeLessThan(120);
  });
});

test("the error about a pizza that is not on the menu names it", () => {
  const odd = "order_id,date,time,lines\n1,2015-01-01,11:38:36,mystery_m\n";
  expect(() => [...classicOrders({ csv: odd, menu, stores })]).toThrow(/"mystery_m" is not on the menu/);
});
