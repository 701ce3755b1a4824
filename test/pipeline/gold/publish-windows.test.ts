import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { readProjectFile } from "../../../adapters/project-files.ts";
import { goldHash } from "../../../pipeline/backup/manifest.ts";
import { openGoldPipeline, type GoldPipeline } from "./gold-fixture.ts";
import type { FixtureOrder } from "./silver-fixture.ts";

const orders: FixtureOrder[] = [
  { id: "a", at: "2015-02-27T18:00:00", lines: [["hawaiian_l", 2]], customer: "c1" },
  { id: "b", at: "2015-03-01T11:38:36", lines: [["hawaiian_m", 1], ["bbq_ckn_s", 2], ["hawaiian_l", 1]], customer: "c1" }, // prettier-ignore
  { id: "c", at: "2015-03-01T12:10:00", lines: [["hawaiian_m", 3]], store: "chi-01", channel: "online" },
  { id: "d", at: "2015-03-04T12:10:00", lines: [["bbq_ckn_s", 1]], channel: "online", customer: "c2" },
  { id: "e", at: "2015-04-02T20:00:00", lines: [["hawaiian_m", 1]], store: "chi-01", customer: "c2" },
];

let pipeline: GoldPipeline;
beforeAll(async () => {
  pipeline = await openGoldPipeline();
});
afterAll(() => pipeline.close());
beforeEach(() => pipeline.empty());

const rows = (sql: string) => pipeline.reader.query(sql);

test("a day's sales are in gold to the cent", async () => {
  await pipeline.publish(1, orders);
  expect(await rows("select * from gold.daily_sales_summary where order_date = '2015-03-01'")).toMatchObject([
    {
      weekday: 7,
      orders: 2,
      order_lines: 4,
      pizzas: 7,
      revenue: "95.00",
      customers: 1,
      avg_order_value: "47.50",
      pizzas_per_order: "3.50",
      silver_version: "1",
    },
  ]);
});

test("an order counts once at each level that it belongs to", async () => {
  await pipeline.publish(1, orders);
  const march = "where month = '2015-03-01' order by 1";
  expect(await rows(`select pizza_id, orders, rank_in_month from gold.pizza_performance ${march}`)).toEqual([
    { pizza_id: "bbq_ckn_s", orders: 2, rank_in_month: 2 },
    { pizza_id: "hawaiian_l", orders: 1, rank_in_month: 3 },
    { pizza_id: "hawaiian_m", orders: 2, rank_in_month: 1 },
  ]);
  expect(await rows(`select pizza_type_id, orders from gold.pizza_type_performance ${march}`)).toEqual([
    { pizza_type_id: "bbq_ckn", orders: 2 },
    { pizza_type_id: "hawaiian", orders: 2 },
  ]);
  expect(await rows(`select size, orders from gold.size_performance ${march}`)).toEqual([
    { size: "L", orders: 1 },
    { size: "M", orders: 2 },
    { size: "S", orders: 2 },
  ]);
});

test("running revenue restarts each month, and the seven-day average crosses the month boundary", async () => {
  const sale = (id: string, at: string): FixtureOrder => ({ id, at: `${at}T12:00:00`, lines: [["hawaiian_m", 1]] });
  const days = ["2015-03-27", "2015-03-31", "2015-04-01", "2015-04-02", "2015-04-03"];
  await pipeline.publish(
    1,
    days.map((at, index) => sale(String(index), at)),
  );
  expect(
    await rows(`select order_date, revenue_month_to_date, revenue_7_days, revenue_7_days_avg
                from gold.revenue_analytics order by 1`),
  ).toEqual([
    { order_date: "2015-03-27", revenue_month_to_date: "13.25", revenue_7_days: "13.25", revenue_7_days_avg: "1.89" },
    { order_date: "2015-03-31", revenue_month_to_date: "26.50", revenue_7_days: "26.50", revenue_7_days_avg: "3.79" },
    { order_date: "2015-04-01", revenue_month_to_date: "13.25", revenue_7_days: "39.75", revenue_7_days_avg: "5.68" },
    { order_date: "2015-04-02", revenue_month_to_date: "26.50", revenue_7_days: "53.00", revenue_7_days_avg: "7.57" },
    { order_date: "2015-04-03", revenue_month_to_date: "39.75", revenue_7_days: "53.00", revenue_7_days_avg: "7.57" },
  ]);
});

test("growth compares with the previous month, and is null if that had no sales", async () => {
  await pipeline.publish(1, orders);
  expect(await rows("select month, revenue_growth_pct from gold.monthly_sales_summary order by 1")).toEqual([
    { month: "2015-02-01", revenue_growth_pct: null },
    { month: "2015-03-01", revenue_growth_pct: "226.52" },
    { month: "2015-04-01", revenue_growth_pct: "-87.70" },
  ]);
});

test("a second publish does no harm", async () => {
  await pipeline.publish(1, orders);
  const before = await goldHash(pipeline.reader);
  const again = await pipeline.publish(1, orders);
  expect(again.windows).toMatchObject({ published: 0, skipped: 4, rowsChanged: 0, corrections: 0 });
  const later = await pipeline.publish(2, orders);
  expect(later.windows).toMatchObject({ published: 4, skipped: 0, rowsChanged: 0, corrections: 0 });
  expect(await goldHash(pipeline.reader)).toEqual(before);
  expect(await rows("select distinct silver_version from gold.daily_sales_summary")).toEqual([{ silver_version: "1" }]);
  expect(await rows("select distinct silver_version, publish_count from ops.windows")).toEqual([
    { silver_version: "2", publish_count: 2 },
  ]);
});

test("an old publish that ends late changes nothing", async () => {
  await pipeline.publish(2, orders);
  const before = await goldHash(pipeline.reader);
  const late = await pipeline.publish(1, orders.slice(0, 2));
  expect(late.windows).toMatchObject({ published: 0, skipped: 2, rowsChanged: 0 });
  expect(await goldHash(pipeline.reader)).toEqual(before);
});

test("a cancelled order's money is removed, and a day without sales disappears", async () => {
  await pipeline.publish(1, orders);
  const cancelled = orders.map((order) =>
    order.id === "b" || order.id === "d" ? { ...order, status: "cancelled" as const } : order,
  );
  await pipeline.publish(2, cancelled);
  expect(await rows("select order_date, orders, revenue from gold.daily_sales_summary order by 1")).toEqual([
    { order_date: "2015-02-27", orders: 1, revenue: "33.00" },
    { order_date: "2015-03-01", orders: 1, revenue: "39.75" },
    { order_date: "2015-04-02", orders: 1, revenue: "13.25" },
  ]);
  expect(await rows("select category from gold.category_performance where month = '2015-03-01'")).toEqual([
    { category: "Classic" },
  ]);
  expect(await rows("select order_lines, revenue_cents from ops.windows where order_date = '2015-03-04'")).toEqual([
    { order_lines: 0, revenue_cents: "0" },
  ]);
});

test("the order of publishing does not matter", async () => {
  await pipeline.publish(1, orders);
  const together = await goldHash(pipeline.reader);
  await pipeline.empty();
  for (const [index, day] of ["2015-04-02", "2015-03-04", "2015-02-27", "2015-03-01"].entries()) {
    await pipeline.publish(
      index + 1,
      orders.filter(({ at }) => at.startsWith(day)),
    );
  }
  expect(await goldHash(pipeline.reader)).toEqual(together);
});

test("the sums of all tables agree, and the check names a cell that differs", async () => {
  await pipeline.publish(1, orders);
  const check = readProjectFile("sql/checks/gold-sums.sql");
  expect(await rows(check)).toEqual([]);
  await pipeline.owner.query("update gold.hourly_trends set revenue = revenue + 0.01 where order_date = '2015-03-04'");
  await pipeline.owner.query("delete from gold.size_performance where month = '2015-04-01'");
  expect(await rows(check)).toMatchObject([
    { table_name: expect.stringContaining("hourly_trends"), example: expect.stringContaining("2015-03-04") },
    { table_name: expect.stringContaining("size_performance"), example: expect.stringContaining("2015-04-01") },
  ]);
});

test("equal days have equal hashes in the ledger, and different days have different ones", async () => {
  const hash = async () => (await rows("select content_hash from ops.windows where order_date = '2015-03-01'"))[0];
  await pipeline.publish(1, orders);
  const first = await hash();
  await pipeline.publish(2, orders.toReversed());
  expect(await hash()).toEqual(first);
  await pipeline.publish(3, orders.slice(0, 2));
  expect(await hash()).not.toEqual(first);
});
