import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { goldHash } from "../../../pipeline/backup/manifest.ts";
import { openGoldPipeline, type GoldPipeline } from "./gold-fixture.ts";
import type { FixtureOrder } from "./silver-fixture.ts";

const sale = (id: string, at: string, customer: string | null, store = "nyc-01"): FixtureOrder => ({
  id,
  at: `${at}T12:00:00`,
  customer,
  store,
  lines: [["hawaiian_m", 2]],
});

const orders = [
  sale("a", "2015-03-01", "c1"),
  sale("b", "2015-03-02", "c1", "chi-01"),
  sale("c", "2015-03-02", "c2"),
  sale("d", "2015-03-02", null),
  sale("e", "2015-04-09", "c1"),
];

let pipeline: GoldPipeline;
beforeAll(async () => {
  pipeline = await openGoldPipeline();
});
afterAll(() => pipeline.close());
beforeEach(() => pipeline.empty());

const rows = (sql: string) => pipeline.reader.query(sql);

test("a customer counts once per month, however many days they ordered on", async () => {
  const { customers } = await pipeline.publish(1, orders);
  expect(await rows("select customers from gold.monthly_sales_summary where month = '2015-03-01'")).toEqual([
    { customers: null },
  ]);
  expect(await customers()).toMatchObject({ published: 3, skipped: 0, corrections: 0 });
  expect(await rows("select month, customers from gold.monthly_sales_summary order by 1")).toEqual([
    { month: "2015-03-01", customers: 2 },
    { month: "2015-04-01", customers: 1 },
  ]);
  expect(
    await rows("select city, orders, customers from gold.geographic_sales where month = '2015-03-01' order by 1"),
  ).toEqual([
    { city: "Chicago", orders: 1, customers: 1 },
    { city: "New York", orders: 3, customers: 2 },
  ]);
});

test("a customer's row has recency, frequency and monetary value", async () => {
  const { customers } = await pipeline.publish(1, orders);
  await customers();
  expect(
    await rows(`select customer_key, recency_days, frequency, monetary, first_ordered_at, last_ordered_at,
                first_order_date::text, last_order_date::text from gold.customer_segments order by 1`),
  ).toEqual([
    {
      customer_key: "c1",
      recency_days: 0,
      frequency: 3,
      monetary: "79.50",
      first_ordered_at: "2015-03-01T12:00:00Z",
      last_ordered_at: "2015-04-09T12:00:00Z",
      first_order_date: "2015-03-01",
      last_order_date: "2015-04-09",
    },
    {
      customer_key: "c2",
      recency_days: 38,
      frequency: 1,
      monetary: "26.50",
      first_ordered_at: "2015-03-02T12:00:00Z",
      last_ordered_at: "2015-03-02T12:00:00Z",
      first_order_date: "2015-03-02",
      last_order_date: "2015-03-02",
    },
  ]);
});

test("each quintile of the customers has its score, and the best are champions", async () => {
  const many = Array.from({ length: 50 }, (_, index) =>
    Array.from({ length: 1 + Math.floor(index / 5) }, (__, visit) =>
      sale(`${index}-${visit}`, `2015-03-${String(1 + Math.floor(index / 2)).padStart(2, "0")}`, `c${index + 10}`),
    ),
  ).flat();
  const { customers } = await pipeline.publish(1, many);
  await customers();
  for (const score of ["recency_score", "frequency_score", "monetary_score"]) {
    expect(
      await rows(`select ${score} as score, count(*)::int as n from gold.customer_segments group by 1 order by 1`),
    ).toEqual([1, 2, 3, 4, 5].map((value) => ({ score: value, n: 10 })));
  }
  expect(await rows("select distinct segment from gold.customer_segments where customer_key >= 'c50'")).toEqual([
    { segment: "champions" },
  ]);
  expect(await rows("select distinct segment from gold.customer_segments where customer_key < 'c20'")).toEqual([
    { segment: "lost" },
  ]);
});

test("a second publish does no harm, and an old one that ends late changes nothing", async () => {
  const first = await pipeline.publish(2, orders);
  const stale = await pipeline.publish(1, orders.slice(0, 2));
  await first.customers();
  const before = await goldHash(pipeline.reader);
  expect(await first.customers()).toMatchObject({ published: 0, skipped: 3, rowsChanged: 0 });
  expect(await stale.customers()).toMatchObject({ published: 0, skipped: 2, rowsChanged: 0 });
  expect(await goldHash(pipeline.reader)).toEqual(before);
});

test("a customer whose only order is cancelled disappears", async () => {
  await (await pipeline.publish(1, orders)).customers();
  const cancelled = orders.map((order) => (order.id === "c" ? { ...order, status: "cancelled" as const } : order));
  await (await pipeline.publish(2, cancelled)).customers();
  expect(await rows("select customer_key from gold.customer_segments")).toEqual([{ customer_key: "c1" }]);
});
