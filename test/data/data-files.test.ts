import { describe, expect, test } from "vitest";
import { buildData } from "../../scripts/build-data.ts";
import { readProjectFile } from "../../adapters/project-files.ts";
import { createCatalog, createMenu, type Catalog, type Pizza, validOn } from "../../pipeline/domain/catalog.ts";
import { createBaskets } from "../../producer/baskets.ts";
import type { StoreProfile } from "../../producer/tills.ts";
import { csv, dataFile, menu, patterns } from "../producer/project-data.ts";

const costs: { recipes: Record<string, string[]>; ingredients: Record<string, number> } = JSON.parse(
  dataFile("ingredient-costs.json"),
);

const orders = csv.trimEnd().split("\n").slice(1);

/** Pizzas of the classic year with their day and quantity. */
const items = orders.flatMap((row) => {
  const [, day = "", , lines = ""] = row.split(",");
  return lines.split(" ").map((item) => {
    const [pizza = "", quantity = 1] = item.split("*");
    return { day, pizza, quantity: Number(quantity) };
  });
});

const cents = (pizzas: Catalog["pizzas"]) =>
  items.reduce((sum, { pizza, day, quantity }) => sum + quantity * validOn(pizzas.get(pizza), day)!.price_cents, 0);

/** The chain may change its menu and stores; these tests must hold for any valid ones. */
describe("the menu and the stores in data/", () => {
  const ownMenu: Pizza[] = JSON.parse(dataFile("menu.json"));
  const ownStores: StoreProfile[] = JSON.parse(dataFile("stores.json"));

  test("load without gaps or overlaps", () => {
    expect(() => createCatalog(ownMenu, ownStores)).not.toThrow();
  });

  test("give each pizza a name, a size, a price and a cost in whole cents", () => {
    for (const pizza of ownMenu) {
      expect(pizza).toMatchObject({
        pizza_id: expect.stringMatching(/^\S{1,64}$/),
        pizza_type_id: expect.stringMatching(/^\S+$/),
        name: expect.stringMatching(/./),
        category: expect.stringMatching(/./),
        size: expect.stringMatching(/^(S|M|L|XL|XXL)$/),
      });
      for (const amount of [pizza.price_cents, pizza.cost_cents]) {
        expect(Number.isInteger(amount) && amount >= 0 && amount <= 1_000_000, JSON.stringify(pizza)).toBe(true);
      }
    }
  });

  test("give each store a time zone that exists, tills and a weight", () => {
    for (const store of ownStores) {
      expect(() => new Intl.DateTimeFormat("en", { timeZone: store.time_zone }), store.store_id).not.toThrow();
      expect(store.tills, store.store_id).toBeGreaterThan(0);
      expect(store.weight, store.store_id).toBeGreaterThanOrEqual(0);
      expect(store, store.store_id).toMatchObject({
        store_id: expect.stringMatching(/^\S{1,64}$/),
        city: expect.stringMatching(/./),
        state: expect.stringMatching(/./),
        area_code: expect.stringMatching(/^\d{3}$/),
        postal_prefix: expect.stringMatching(/^\d{3}$/),
      });
    }
  });

  test("keep the prices of the classic year: a new price is a second entry", () => {
    expect(cents(createMenu(ownMenu))).toBe(81_786_005);
  });

  test("have every pizza in the ordering patterns", () => {
    expect(() => createBaskets(patterns, ownMenu)).not.toThrow();
  });
});

describe("the classic year's file", () => {
  test("has the published totals", () => {
    expect(orders).toHaveLength(21_350);
    expect(items).toHaveLength(48_620);
    expect(items.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(49_574);
    expect(cents(createMenu(menu))).toBe(81_786_005);
  });

  test("is sorted by store-local time", () => {
    const walls = orders.map((row) => row.split(",").slice(1, 3).join(" "));
    expect(walls).toEqual(walls.toSorted());
  });
});

describe("the menu as it was published", () => {
  test("has every pizza once, with a margin of 60 to 75 percent", () => {
    expect(new Set(menu.map((pizza) => pizza.pizza_id)).size).toBe(91);
    const margins = menu.map((pizza) => 1 - pizza.cost_cents / pizza.price_cents);
    expect(Math.min(...margins)).toBeGreaterThan(0.6);
    expect(Math.max(...margins)).toBeLessThan(0.75);
  });

  test("prices exactly the ingredients that its recipes use", () => {
    const used = Object.values(costs.recipes).flat();
    expect(Object.keys(costs.ingredients)).toEqual([...new Set(used)].toSorted());
  });
});

describe("rebuilding the data", () => {
  const published = publishedFiles();
  const built = buildData((name) => published[name]!);

  test.each(["classic-2015.csv", "menu.json", "ingredient-costs.json"])("reproduces %s byte for byte", (name) => {
    expect(built[name]).toBe(
      name === "menu.json" ? readProjectFile("test/fixtures/catalog/menu.json") : dataFile(name),
    );
  });

  test("rejects a source without an expected special day", () => {
    const poor: Record<string, string> = {
      ...published,
      "patterns.json": published["patterns.json"]!.replace("2015-07-04", "2015-07-05"),
    };
    expect(() => buildData((name) => poor[name]!)).toThrow(/2015-07-04/);
  });
});

/** The published files, as far as they can be derived from ours. */
function publishedFiles(): Record<string, string> {
  const rows = csv
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((row) => row.split(","));
  const details = rows.flatMap(([id, , , lines]) => lines!.split(" ").map((item) => [id!, ...item.split("*")]));
  const types = new Map(menu.map((pizza) => [pizza.pizza_type_id, pizza]));
  const days: { seen: string; factor: number }[] = JSON.parse(dataFile("patterns.json")).special_days;
  const measured = {
    meta: { source: patterns.source },
    orders_per_open_day: { mean: patterns.orders_per_day },
    closed_dates: ["2015-12-25"],
    busiest_days_vs_weekday_mean: days.map((day) => ({ date: day.seen, ratio: day.factor })),
    quietest_days_vs_weekday_mean: [],
    basket_pizzas_per_order_by_daypart: {},
  };
  return {
    "orders.csv": ["header", ...rows.map((row) => row.slice(0, 3).join(","))].join("\n"),
    "order_details.csv": ["header", ...details.map(([id, pizza, n = "1"], i) => `${i + 1},${id},${pizza},${n}`)].join(
      "\n",
    ),
    "pizzas.csv": [
      "header",
      ...menu.map((p) => `${p.pizza_id},${p.pizza_type_id},${p.size},${(p.price_cents / 100).toFixed(2)}`),
    ].join("\n"),
    "pizza_types.csv": [
      "header",
      ...Object.entries(costs.recipes).map(([type, recipe]) => {
        const { name, category } = types.get(type)!;
        return `${type},"${name}",${category},"${recipe.join(", ")}"`;
      }),
    ].join("\n"),
    "patterns.json": JSON.stringify(measured),
    "LICENSE.md": "licence",
  };
}
