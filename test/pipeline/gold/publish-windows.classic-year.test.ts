import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCatalogFiles } from "../../../adapters/project-files.ts";
import { publishCatalog } from "../../../pipeline/gold/migrate.ts";
import type { LakeTable } from "../../../pipeline/ports.ts";
import { openClassicYear } from "./classic-orders.ts";
import type { GoldPipeline } from "./gold-fixture.ts";

let pipeline: GoldPipeline;
let silver: LakeTable;
beforeAll(async () => {
  ({ pipeline, silver } = await openClassicYear());
});
afterAll(() => pipeline.close());

/** Computes the same numbers directly from the lines: distinct orders, without marks and without sums of days. */
async function compare({ lake, gold }: { lake: string; gold: string }) {
  const text = (rows: Record<string, unknown>[]) => rows.map((row) => Object.values(row).join(" ")).toSorted();
  return {
    expected: text(await pipeline.lake.query(lake, [], [silver])),
    shown: text(await pipeline.reader.query(gold)),
  };
}

const cents = "cast(sum(revenue_cents) as bigint), cast(sum(revenue_cents - cost_cents) as bigint)";
const dollars = "(revenue * 100)::bigint as revenue_cents, (margin * 100)::bigint as margin_cents";
const month = "strftime(order_date, '%Y-%m-01')";

test("the classic year's totals are unchanged", async () => {
  const [totals] = await pipeline.reader.query(
    `select sum(orders) as orders, sum(order_lines) as lines, sum(pizzas) as pizzas, sum(revenue) as revenue
     from gold.daily_sales_summary`,
  );
  expect(totals).toEqual({ orders: "21350", lines: "48620", pizzas: "49574", revenue: "817860.05" });
});

test("days and hours equal an aggregate of the order lines", async () => {
  const days = await compare({
    lake: `select order_date, count(distinct order_id), count(distinct customer_key), ${cents}
           from silver_order_lines group by order_date`,
    gold: `select order_date, orders, customers, ${dollars} from gold.daily_sales_summary`,
  });
  expect(days.shown).toEqual(days.expected);
  const hours = await compare({
    lake: `select order_date, order_hour, count(distinct order_id), sum(quantity)
           from silver_order_lines group by order_date, order_hour`,
    gold: "select order_date, hour, orders, pizzas from gold.hourly_trends",
  });
  expect(hours.shown).toEqual(hours.expected);
});

test.each([
  ["pizza_performance", "pizza_id"],
  ["pizza_type_performance", "pizza_type_id"],
  ["category_performance", "category"],
  ["size_performance", "size"],
])("%s equals an aggregate of the order lines", async (table, key) => {
  const levels = await compare({
    lake: `select ${month}, ${key}, count(distinct order_id), sum(quantity), ${cents}
           from silver_order_lines group by 1, 2`,
    gold: `select month, ${key}, orders, pizzas, ${dollars} from gold.${table}`,
  });
  expect(levels.shown).toEqual(levels.expected);
});

test("months, cities and stores equal an aggregate of the order lines", async () => {
  const months = await compare({
    lake: `select ${month}, count(distinct order_date), count(distinct order_id), count(distinct customer_key), ${cents}
           from silver_order_lines group by 1`,
    gold: `select month, days, orders, customers, ${dollars} from gold.monthly_sales_summary`,
  });
  expect(months.shown).toEqual(months.expected);
  const cities = await compare({
    lake: `select ${month}, state, city, count(distinct order_id), count(distinct customer_key), ${cents}
           from silver_order_lines group by 1, 2, 3`,
    gold: `select month, state, city, orders, customers, ${dollars} from gold.geographic_sales`,
  });
  expect(cities.shown).toEqual(cities.expected);
  const stores = await compare({
    lake: `select order_date, store_id, channel, count(distinct order_id), ${cents},
             (select cast(sum(revenue_cents) as bigint) from silver_order_lines as b
              where b.store_id = a.store_id and b.channel = a.channel
                and b.order_date between a.order_date - 6 and a.order_date)
           from silver_order_lines as a group by order_date, store_id, channel`,
    gold: `select order_date, store_id, channel, orders, ${dollars}, (revenue_7_days * 100)::bigint as cents
           from gold.revenue_analytics`,
  });
  expect(stores.shown).toEqual(stores.expected);
});

test("customers equal an aggregate of the order lines", async () => {
  const customers = await compare({
    lake: `select customer_key, date '2015-12-31' - max(order_date), count(distinct order_id),
             cast(sum(revenue_cents) as bigint)
           from silver_order_lines where customer_key is not null group by customer_key`,
    gold: "select customer_key, recency_days, frequency, (monetary * 100)::bigint from gold.customer_segments",
  });
  expect(customers.shown).toEqual(customers.expected);
});

describe("the star", () => {
  const items = "sum(order_lines) as lines, sum(pizzas) as pizzas, sum(revenue) as revenue";
  const dimensions = `gold.sales_items as sold
    join gold.dates on date = order_date join gold.stores using (store_id) join gold.menu using (pizza_id)`;

  test.each([
    "date",
    "month_name",
    "weekday_name",
    "store_id",
    "city",
    "channel",
    "pizza_id",
    "category",
    "size_order",
  ])("adds up to the year by %s, with every sale in its dimension", async (column) => {
    const rows = await pipeline.reader.query<{ lines: string; pizzas: string; revenue: string }>(
      `select ${column}, ${items} from ${dimensions} group by 1`,
    );
    const total = (name: "lines" | "pizzas" | "revenue") => rows.reduce((sum, row) => sum + Number(row[name]), 0);
    expect(rows.length).toBeGreaterThan(1);
    expect([total("lines"), total("pizzas"), total("revenue").toFixed(2)]).toEqual([48_620, 49_574, "817860.05"]);
  });

  test.each(["order_date", "hour", "store_id", "channel"])("has 21,350 orders by %s", async (column) => {
    const rows = await pipeline.reader.query<{ orders: string; lines: string; revenue: string }>(
      `select ${column}, sum(orders) as orders, sum(order_lines) as lines, sum(revenue) as revenue
       from gold.sales_hours group by 1`,
    );
    const total = (name: "orders" | "lines" | "revenue") => rows.reduce((sum, row) => sum + Number(row[name]), 0);
    expect([total("orders"), total("lines"), total("revenue").toFixed(2)]).toEqual([21_350, 48_620, "817860.05"]);
  });

  test("equals an aggregate of the order lines, row by row", async () => {
    const sold = await compare({
      lake: `select order_date, store_id, channel, pizza_id, count(*), sum(quantity), ${cents}
             from silver_order_lines group by 1, 2, 3, 4`,
      gold: `select order_date, store_id, channel, pizza_id, order_lines, pizzas, (revenue * 100)::bigint,
               ((revenue - cost) * 100)::bigint as margin from gold.sales_items`,
    });
    expect(sold.shown).toHaveLength(47_350);
    expect(sold.shown).toEqual(sold.expected);
    const hours = await compare({
      lake: `select order_date, order_hour, store_id, channel, count(distinct order_id), count(*), sum(quantity), ${cents}
             from silver_order_lines group by 1, 2, 3, 4`,
      gold: `select order_date, hour, store_id, channel, orders, order_lines, pizzas, (revenue * 100)::bigint,
               ((revenue - cost) * 100)::bigint as margin from gold.sales_hours`,
    });
    expect(hours.shown).toHaveLength(19_770);
    expect(hours.shown).toEqual(hours.expected);
  });

  test("answers what one report cannot: pizzas by category in any week", async () => {
    const week = await pipeline.reader.query(
      `select category, sum(pizzas) as pizzas from ${dimensions}
       where order_date between '2015-01-05' and '2015-01-11' group by 1 order by 1`,
    );
    const { expected } = await compare({
      lake: `select category, sum(quantity) from silver_order_lines
             where order_date between date '2015-01-05' and date '2015-01-11' group by 1`,
      gold: "select 1",
    });
    expect(week.map((row) => Object.values(row).join(" "))).toEqual(expected);
    expect(week.map(({ category }) => category)).toEqual(["Chicken", "Classic", "Supreme", "Veggie"]);
  });

  test("has a calendar of the year, with its closed days and its holidays", async () => {
    const [year] = await pipeline.reader.query(
      `select count(*)::integer as days, min(date)::text as first, max(date)::text as last,
         count(*) filter (where has_sales)::integer as open from gold.dates`,
    );
    expect(year).toEqual({ days: 365, first: "2015-01-01", last: "2015-12-31", open: 358 });
    const dates = async (condition: string) =>
      (await pipeline.reader.query(`select date::text as date from gold.dates where ${condition} order by 1`)).map(
        ({ date }) => date,
      );
    const closed = ["09-24", "09-25", "10-05", "10-12", "10-19", "10-26", "12-25"].map((day) => `2015-${day}`);
    expect(await dates("is_closed")).toEqual(closed);
    const holidays = ["01-01", "01-19", "02-16", "05-25", "07-04", "09-07", "10-12", "11-11", "11-26", "12-25"];
    expect(await dates("holiday is not null")).toEqual(holidays.map((day) => `2015-${day}`));
    const [july] = await pipeline.reader.query("select * from gold.dates where date = '2015-07-04'");
    expect(july).toMatchObject({
      quarter: 3,
      month: "2015-07-01",
      month_number: 7,
      month_name: "July",
      day_of_month: 4,
      weekday: 6,
      weekday_name: "Saturday",
      is_weekend: true,
      holiday: "Independence Day",
    });
  });

  test("has the menu, prices, stores and recipes as they are now, also what nobody buys", async () => {
    const files = readCatalogFiles();
    const pumpkin = { ...files.menu[0]!, pizza_id: "pumpkin_xl", pizza_type_id: "pumpkin", size: "XL" };
    const [first] = files.menu;
    const dearer = { ...first!, price_cents: first!.price_cents + 100, valid_from: "2015-03-01", name: "Renamed" };
    const menu = [{ ...first!, valid_to: "2015-03-01" }, dearer, ...files.menu.slice(1), pumpkin];
    await publishCatalog(pipeline.writer, { ...files, menu });
    const priced = await pipeline.reader.query(
      `select pizza_id, price from gold.menu join gold.menu_prices using (pizza_id)
       where date '2015-02-28' >= valid_from and (valid_to is null or date '2015-02-28' < valid_to)`,
    );
    expect(priced).toHaveLength(92);
    expect(priced).toContainEqual({ pizza_id: first!.pizza_id, price: (first!.price_cents / 100).toFixed(2) });
    const unsold = await pipeline.reader.query(
      `select pizza_id, size_order, portion from gold.menu
       where not exists (select from gold.sales_items where sales_items.pizza_id = menu.pizza_id)`,
    );
    expect(unsold).toEqual([{ pizza_id: "pumpkin_xl", size_order: 4, portion: "1.65" }]);
    const renamed = await pipeline.reader.query("select name, on_menu_from from gold.menu where pizza_id = $1", [
      first!.pizza_id,
    ]);
    expect(renamed).toEqual([{ name: "Renamed", on_menu_from: null }]);
    const prices = await pipeline.reader.query(
      "select valid_from, valid_to, price from gold.menu_prices where pizza_id = $1 order by 1",
      [first!.pizza_id],
    );
    expect(prices).toEqual([
      { valid_from: "2000-01-01", valid_to: "2015-03-01", price: (first!.price_cents / 100).toFixed(2) },
      { valid_from: "2015-03-01", valid_to: null, price: (dearer.price_cents / 100).toFixed(2) },
    ]);
    expect(await pipeline.owner.query("select * from ops.gold_offenders()")).toEqual([]);

    const written =
      "select count(*)::integer as rows from gold.menu where published_at = (select max(published_at) from gold.menu)";
    expect(await publishCatalog(pipeline.writer, { ...files, menu })).toBe(0);
    // What changed is written, and nothing else: one pizza and one price less, and a price and a name as before.
    expect(await publishCatalog(pipeline.writer, files)).toBe(5);
    expect(await pipeline.reader.query(written)).toEqual([{ rows: 1 }]);
    const [counts] = await pipeline.reader.query(
      `select (select count(*)::integer from gold.stores) as stores, (select count(*)::integer from gold.recipes) as recipes,
         (select count(*)::integer from gold.ingredients) as ingredients,
         (select count(distinct pizza_type_id)::integer from gold.menu join gold.recipes using (pizza_type_id)) as types`,
    );
    const recipes = Object.values(files.ingredients.recipes).reduce((sum, list) => sum + new Set(list).size, 0);
    expect(counts).toEqual({
      stores: files.stores.length,
      recipes,
      ingredients: Object.keys(files.ingredients.ingredients).length,
      types: Object.keys(files.ingredients.recipes).length,
    });
  });
});
