import { describe, expect, test } from "vitest";
import { buildData } from "../../scripts/build-data.ts";
import { csv, dataFile, menu, patterns, stores } from "../producer/project-data.ts";

const costs: { recipes: Record<string, string[]>; ingredients: Record<string, number> } = JSON.parse(
  dataFile("ingredient-costs.json"),
);

describe("the classic year's file", () => {
  const orders = csv.trimEnd().split("\n").slice(1);
  const items = orders.flatMap((row) => row.split(",")[3]!.split(" "));
  const cents = new Map(menu.map((pizza) => [pizza.pizza_id, pizza.price_cents]));
  const quantity = (item: string): number => Number(item.split("*")[1] ?? 1);

  test("holds the published totals", () => {
    expect(orders).toHaveLength(21_350);
    expect(items).toHaveLength(48_620);
    expect(items.reduce((sum, item) => sum + quantity(item), 0)).toBe(49_574);
    expect(items.reduce((sum, item) => sum + quantity(item) * cents.get(item.split("*")[0]!)!, 0)).toBe(81_786_005);
  });

  test("is in the order of the stores' clocks", () => {
    const walls = orders.map((row) => row.split(",").slice(1, 3).join(" "));
    expect(walls).toEqual(walls.toSorted());
  });
});

describe("the menu", () => {
  test("has every pizza once, at a margin of 60 to 75 percent", () => {
    expect(new Set(menu.map((pizza) => pizza.pizza_id)).size).toBe(91);
    const margins = menu.map((pizza) => 1 - pizza.cost_cents / pizza.price_cents);
    expect(Math.min(...margins)).toBeGreaterThan(0.6);
    expect(Math.max(...margins)).toBeLessThan(0.75);
  });

  test("prices no ingredient that no recipe uses, and every one that it does", () => {
    const used = Object.values(costs.recipes).flat();
    expect(Object.keys(costs.ingredients)).toEqual([...new Set(used)].toSorted());
  });
});

describe("the stores", () => {
  test("are a dozen, in time zones that exist", () => {
    expect(stores).toHaveLength(12);
    expect(new Set(stores.map((store) => store.store_id)).size).toBe(12);
    for (const { time_zone } of stores)
      expect(() => new Intl.DateTimeFormat("en", { timeZone: time_zone })).not.toThrow();
  });

  test("have two to four tills each", () => {
    for (const store of stores) expect([2, 3, 4]).toContain(store.tills);
  });
});

describe("building the data again", () => {
  const published = publishedFiles();
  const built = buildData((name) => published[name]!);

  test.each(["classic-2015.csv", "menu.json", "ingredient-costs.json"])("gives %s byte for byte", (name) => {
    expect(built[name]).toBe(dataFile(name));
  });

  test("refuses a source that does not know a special day", () => {
    const poor: Record<string, string> = {
      ...published,
      "patterns.json": published["patterns.json"]!.replace("2015-07-04", "2015-07-05"),
    };
    expect(() => buildData((name) => poor[name]!)).toThrow(/2015-07-04/);
  });
});

/** The published files, as far as they can be told from ours. */
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
