import { describe, expect, test } from "vitest";
import { createCatalog } from "../../pipeline/domain/catalog.ts";
import { checkOrder } from "../../pipeline/domain/check-order.ts";
import type { OrderEvent } from "../../pipeline/domain/generated/order-event.types.ts";
import { classicOrders } from "../../producer/classic-year.ts";
import { daypartOf } from "../../producer/customers.ts";
import { dayFactor } from "../../producer/patterns.ts";
import { simulateOrders } from "../../producer/simulator.ts";
import { csv, menu, patterns, stores } from "./project-data.ts";

const startAt = Date.parse("2025-03-01T00:00:00-05:00");
const history = [...simulateOrders({ seed: 7, menu, stores, patterns, startAt, orders: 20_000 })];
const classic = [...classicOrders({ csv, menu, stores })];
const pizzaOf = new Map(menu.map((pizza) => [pizza.pizza_id, pizza]));

describe("a simulated history", () => {
  test("is the same for the same seed and start, and has no order of another seed", () => {
    const again = [...simulateOrders({ seed: 7, menu, stores, patterns, startAt, orders: 500 })];
    const other = [...simulateOrders({ seed: 8, menu, stores, patterns, startAt, orders: 500 })];
    expect(JSON.stringify(again)).toBe(JSON.stringify(history.slice(0, 500)));
    const ids = new Set(history.map((event) => event.order_id));
    expect(ids.size).toBe(20_000);
    expect(other.filter((event) => ids.has(event.order_id))).toEqual([]);
  });

  test("has increasing times and order ids, across stores in different time zones", () => {
    const times = history.map((event) => Date.parse(event.ordered_at));
    const ids = history.map((event) => event.order_id);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(ids).toEqual(ids.toSorted());
    expect(times[0]).toBeGreaterThanOrEqual(startAt);
  });

  test("has only events that the contract accepts", () => {
    const catalog = createCatalog(menu, stores);
    const rejected = history
      .map((event) => checkOrder(JSON.stringify(event), Date.parse(event.emitted_at) * 1000, catalog))
      .filter((verdict) => "rejection" in verdict);
    expect(rejected).toEqual([]);
  });

  test("numbers each till's events without a gap", () => {
    for (const sent of Map.groupBy(history, (event) => event.producer.producer_id).values()) {
      expect(sent.map((event) => event.producer.seq)).toEqual(sent.map((_, index) => index + 1));
    }
  });
});

describe("a simulated history has the classic year's distribution of", () => {
  test.each<[string, (events: readonly OrderEvent[]) => string[], number]>([
    ["hours", (events) => events.map(hourOf), 0.02],
    ["hours of a Saturday", (events) => events.filter((event) => weekday(event) === 6).map(hourOf), 0.03],
    ["weekdays", (events) => events.map((event) => String(weekday(event))), 0.03],
    ["sizes", (events) => pizzas(events).map((pizza) => pizza.size), 0.02],
    ["categories", (events) => pizzas(events).map((pizza) => pizza.category), 0.02],
    ["types", (events) => pizzas(events).map((pizza) => pizza.pizza_type_id), 0.01],
    ["lunch baskets", (events) => basketsAt(events, "lunch"), 0.03],
    ["dinner baskets", (events) => basketsAt(events, "dinner"), 0.03],
    ["quantities of a line", (events) => events.flatMap((e) => e.lines.map((line) => String(line.quantity))), 0.01],
  ])("%s", (_, keysOf, tolerance) => {
    expect(largestDifference(shares(keysOf(history)), shares(keysOf(classic)))).toBeLessThan(tolerance);
  });

  test("orders per day", () => {
    const days = Map.groupBy(history, (event) => `${event.store_id} ${event.ordered_at.slice(0, 10)}`);
    const weight = stores.reduce((sum, store) => sum + store.weight, 0) / stores.length;
    expect(history.length / days.size / weight / 59.6).toBeGreaterThan(0.85);
    expect(history.length / days.size / weight / 59.6).toBeLessThan(1.1);
  });
});

describe("the calendar of a simulated year", () => {
  const factorOn = (date: string): number => dayFactor(patterns, Date.parse(`${date}T12:00:00Z`));

  test("is busy on holidays, whatever their weekday", () => {
    expect(factorOn("2026-11-26") / factorOn("2026-11-19")).toBeCloseTo(1.814, 3);
    expect(factorOn("2026-11-27") / factorOn("2026-11-20")).toBeCloseTo(1.625, 3);
    expect(factorOn("2026-07-04") / factorOn("2026-07-11")).toBeCloseTo(1.729, 3);
  });

  test("is busier on a Friday than on a Sunday, and closed on Christmas Day", () => {
    expect(factorOn("2026-05-08")).toBeGreaterThan(factorOn("2026-05-10"));
    const christmas = Date.parse("2025-12-25T00:00:00-05:00");
    const [first] = simulateOrders({ seed: 1, menu, stores: stores.slice(0, 1), patterns, startAt: christmas });
    expect(first?.ordered_at.slice(0, 10)).toBe("2025-12-26");
  });
});

describe("live orders", () => {
  const noon = Date.parse("2026-11-23T17:00:00Z");

  test("have the time at which they are pulled", () => {
    let now = noon;
    const orders = simulateOrders({ seed: 7, menu, stores, patterns, clock: () => now });
    for (let i = 0; i < 200; i++) {
      now += 500;
      const event = orders.next().value!;
      expect(event.emitted_at).toBe(new Date(now).toISOString());
      expect(now - Date.parse(event.ordered_at)).toBeLessThan(4000);
      expect(now - Date.parse(event.ordered_at)).toBeGreaterThanOrEqual(1000);
    }
  });

  test("come from open stores, or from any store if all are closed", () => {
    const storesAt = (now: number): Set<string> => {
      const orders = simulateOrders({ seed: 7, menu, stores, patterns, orders: 300, clock: () => now });
      return new Set([...orders].map((event) => event.store_id));
    };
    expect([...storesAt(noon)]).not.toContain("sea-01");
    expect(storesAt(noon).size).toBeGreaterThan(4);
    expect(storesAt(Date.parse("2026-11-23T11:00:00Z")).size).toBe(12);
  });

  test("of two runs with the same seed have different ids and tills", () => {
    const run = (clock: () => number): OrderEvent[] => [
      ...simulateOrders({ seed: 7, menu, stores, patterns, orders: 50, clock }),
    ];
    const ids = (events: OrderEvent[]): string[] => events.flatMap((e) => [e.order_id, e.producer.producer_id]);
    const first = new Set(ids(run(() => noon)));
    expect(ids(run(() => noon + 1)).filter((id) => first.has(id))).toEqual([]);
  });
});

test("only the given stores have orders", () => {
  const few = stores.slice(0, 2);
  const orders = [...simulateOrders({ seed: 7, menu, stores: few, patterns, startAt, orders: 100 })];
  expect(new Set(orders.map((event) => event.store_id))).toEqual(new Set(["nyc-01", "bos-01"]));
});

test.each([-1, 1.5, Number.NaN])("seed %s is rejected", (seed) => {
  expect(() => simulateOrders({ seed, menu, stores, patterns }).next()).toThrow(/whole number/);
});

function hourOf(event: OrderEvent): string {
  return event.ordered_at.slice(11, 13);
}

function weekday(event: OrderEvent): number {
  return new Date(event.ordered_at.slice(0, 10)).getUTCDay();
}

function pizzas(events: readonly OrderEvent[]) {
  return events.flatMap((event) =>
    event.lines.flatMap((line) => Array.from({ length: line.quantity }, () => pizzaOf.get(line.pizza_id)!)),
  );
}

function basketsAt(events: readonly OrderEvent[], daypart: string): string[] {
  return events
    .filter((event) => daypartOf(Number(hourOf(event))) === daypart)
    .map((event) => String(event.lines.reduce((sum, line) => sum + line.quantity, 0)));
}

function shares(keys: readonly string[]): Map<string, number> {
  return new Map([...Map.groupBy(keys, (key) => key)].map(([key, all]) => [key, all.length / keys.length]));
}

function largestDifference(one: Map<string, number>, other: Map<string, number>): number {
  const keys = new Set([...one.keys(), ...other.keys()]);
  return Math.max(...[...keys].map((key) => Math.abs((one.get(key) ?? 0) - (other.get(key) ?? 0))));
}
