import { afterAll, beforeAll, expect, test } from "vitest";
import { groupByMonth } from "../../../pipeline/gold/facts.ts";
import { publishCustomerDays, publishDays } from "../../../pipeline/gold/publish-windows.ts";
import type { LakeTable } from "../../../pipeline/ports.ts";
import { readClassicOrders } from "./classic-orders.ts";
import { datesOf, openGoldPipeline, type GoldPipeline } from "./gold-fixture.ts";
import { writeSilver } from "./silver-fixture.ts";

let pipeline: GoldPipeline;
let silver: LakeTable;
beforeAll(async () => {
  pipeline = await openGoldPipeline();
  const orders = readClassicOrders();
  const table = await writeSilver(pipeline.dir, 1, orders);
  silver = table();
  const days = datesOf(orders);
  for (const windows of groupByMonth(days)) {
    await publishDays(pipeline.gold, { table: table(windows), windows, silverVersion: 1 });
  }
  await publishCustomerDays(pipeline.gold, { table: silver, windows: days, silverVersion: 1 });
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
