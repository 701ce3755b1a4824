import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { goldKeys, compareGold, readCorrections, readGold } from "./gold-tables.ts";
import { openGoldPipeline, type GoldPipeline } from "./gold-fixture.ts";
import type { FixtureOrder } from "./silver-fixture.ts";

const sale = (id: string, at: string, customer: string, store = "nyc-01"): FixtureOrder => ({
  id,
  at: `${at}T12:00:00`,
  customer,
  store,
  lines: [["hawaiian_m", 1]],
});

const orders = [
  sale("a", "2015-02-10", "c1"),
  sale("b", "2015-03-01", "c1"),
  sale("c", "2015-03-01", "c2", "chi-01"),
  sale("d", "2015-03-05", "c2"),
  sale("e", "2015-03-20", "c3"),
  sale("f", "2015-04-01", "c3"),
  sale("g", "2015-05-01", "c4"),
];
const late: FixtureOrder = { ...sale("late", "2015-03-01", "c3"), lines: [["bbq_ckn_s", 1]] };
const march = orders.filter(({ at }) => at.startsWith("2015-03-01"));

let pipeline: GoldPipeline;
beforeAll(async () => {
  pipeline = await openGoldPipeline();
});
afterAll(() => pipeline.close());
beforeEach(() => pipeline.empty());

async function publishAll(version: number, all: readonly FixtureOrder[]) {
  const { windows, customers } = await pipeline.publish(version, all);
  return { windows, customers: await customers() };
}
const report = (watermark: string) => pipeline.writer.query("select ops.report_windows($1::date)", [watermark]);

test("a late order changes exactly the rows that it affects, and the ledger records them", async () => {
  await publishAll(1, orders);
  await report("2015-06-01");
  const before = await readGold(pipeline.reader);
  await publishAll(2, [...march, late]);
  const changes = compareGold(before, await readGold(pipeline.reader));
  expect(await readCorrections(pipeline.reader)).toEqual(changes);
  expect([...new Set(changes.map((change) => change.replace(/ \w+: .*/, "")))]).toEqual([
    "category_performance 2015-03-01/Chicken",
    "category_performance 2015-03-01/Classic",
    "customer_segments c3",
    "daily_sales_summary 2015-03-01",
    "geographic_sales 2015-03-01/NY/New York",
    "hourly_trends 2015-03-01/12",
    "monthly_sales_summary 2015-03-01",
    "monthly_sales_summary 2015-04-01",
    "pizza_performance 2015-03-01/bbq_ckn_s",
    "pizza_performance 2015-03-01/hawaiian_m",
    "pizza_type_performance 2015-03-01/bbq_ckn",
    "pizza_type_performance 2015-03-01/hawaiian",
    "revenue_analytics 2015-03-01/nyc-01/dine_in",
    "revenue_analytics 2015-03-05/nyc-01/dine_in",
    "revenue_analytics 2015-03-20/nyc-01/dine_in",
    "size_performance 2015-03-01/M",
    "size_performance 2015-03-01/S",
  ]);
  const causes = await pipeline.reader.query("select distinct cause, silver_version from ops.corrections");
  expect(causes).toEqual([{ cause: "published again at silver version 2: 2015-03-01", silver_version: "2" }]);
});

test("corrections cover every gold table", async () => {
  await publishAll(1, orders);
  await report("2015-06-01");
  await publishAll(2, [...march, late]);
  const watched = await pipeline.reader.query<{ name: string }>(
    "select distinct replace(table_name, 'gold.', '') as name from ops.corrections order by 1",
  );
  expect(watched.map(({ name }) => name)).toEqual(Object.keys(goldKeys).toSorted());
});

test("a day that is not reported yet produces no corrections", async () => {
  await publishAll(1, orders);
  await report("2015-03-01");
  await publishAll(2, [...march, late]);
  expect(await readCorrections(pipeline.reader)).toEqual([]);
});

test("a day stays reported when a slower run reports an earlier watermark: its first sale is a correction", async () => {
  await publishAll(1, orders);
  await report("2015-06-01");
  await report("2015-03-01");
  await publishAll(2, [sale("late", "2015-04-20", "c1")]);
  expect(await readCorrections(pipeline.reader)).toContainEqual(
    expect.stringMatching(/^daily_sales_summary 2015-04-20 /),
  );
});

test("a value that was corrected twice is shown as first reported and as known now", async () => {
  await publishAll(1, orders);
  await report("2015-06-01");
  await publishAll(2, [...march, late]);
  await publishAll(3, [...march, late, { ...late, id: "later" }]);
  const [value] = await pipeline.reader.query(
    `select first_reported, now_known, corrections from gold.restated_values
     where table_name = 'gold.daily_sales_summary' and column_name = 'orders'`,
  );
  expect(value).toEqual({ first_reported: "2", now_known: "4", corrections: 2 });
});

test("changes of an unreported day in the same publish are not attributed to the reported one", async () => {
  await publishAll(1, orders);
  await report("2015-03-02");
  const before = await readGold(pipeline.reader);
  await pipeline.publish(2, [...march, late]);
  const alone = compareGold(before, await readGold(pipeline.reader));
  await pipeline.empty();
  await publishAll(1, orders);
  await report("2015-03-02");
  const filling = [sale("new", "2015-03-25", "c4")];
  await pipeline.publish(2, [...march, late, ...filling]);
  // Of the days from 1 March on, only 1 March was reported, and March is not over.
  const isReported = (change: string) =>
    !/revenue_analytics 2015-03-(05|20)|_(performance|sales) |^monthly/.test(change);
  expect(await readCorrections(pipeline.reader)).toEqual(alone.filter(isReported));
});

test("a month is reported once its last day is", async () => {
  for (const [watermark, isReported] of [
    ["2015-03-31", false],
    ["2015-04-01", true],
  ] as const) {
    await pipeline.empty();
    await publishAll(1, orders);
    await report(watermark);
    await publishAll(2, [...march, late]);
    const months = (await readCorrections(pipeline.reader)).filter((line) => line.startsWith("monthly_sales_summary"));
    expect(months.some((line) => line.startsWith("monthly_sales_summary 2015-03-01 "))).toBe(isReported);
  }
});

test("the first publish of a replayed or imported day is no correction, wherever the day lies", async () => {
  await publishAll(1, orders);
  await report("2015-06-01");
  for (const [version, producer] of [
    [2, "replay:till-1"],
    [3, "import:till-1"],
  ] as const) {
    await publishAll(version, [{ ...sale(`history-${version}`, `2015-04-2${version}`, "c1"), producer }]);
  }
  expect(await readCorrections(pipeline.reader)).toEqual([]);
  const windows =
    "select reported_at is null as is_open from ops.windows where order_date > '2015-04-20' and order_date < '2015-05-01'";
  expect(await pipeline.reader.query(windows)).toEqual([{ is_open: true }, { is_open: true }]);
  // Mixed with a live order, the day was shown as empty before.
  await publishAll(4, [
    { ...sale("history-4", "2015-04-24", "c1"), producer: "replay:till-1" },
    sale("live", "2015-04-24", "c1"),
  ]);
  expect(await readCorrections(pipeline.reader)).not.toEqual([]);
});

test("a late order on a reported day without orders is a correction", async () => {
  await publishAll(1, orders);
  await report("2015-06-01");
  const before = await readGold(pipeline.reader);
  await publishAll(2, [{ ...late, at: "2015-03-03T12:00:00" }]);
  expect(await readCorrections(pipeline.reader)).toEqual(compareGold(before, await readGold(pipeline.reader)));
});

test("rows by customer that are first published after the report are not corrections", async () => {
  const { customers } = await pipeline.publish(1, orders);
  await report("2015-06-01");
  expect(await customers()).toMatchObject({ published: 6, corrections: 0 });
  await publishAll(2, [...march, late]);
  expect((await readCorrections(pipeline.reader)).filter((line) => line.startsWith("customer_segments"))).not.toEqual(
    [],
  );
});

test("a cancelled order that empties its day is logged as a change to null", async () => {
  await publishAll(1, orders);
  await report("2015-06-01");
  await publishAll(2, [{ ...sale("d", "2015-03-05", "c2"), status: "cancelled" }]);
  expect(await readCorrections(pipeline.reader)).toContain("daily_sales_summary 2015-03-05 revenue: 13.25 -> null");
});

test("a manual edit is logged with its author, and the next publish repairs it", async () => {
  await publishAll(1, orders);
  const edit = "update gold.daily_sales_summary set revenue = 1 where order_date = '2015-03-01'";
  await pipeline.owner.query(edit);
  expect(await readCorrections(pipeline.reader)).toEqual([]);
  await report("2015-06-01");
  await pipeline.owner.query(edit.replace("= 1", "= 2"));
  expect(await pipeline.reader.query("select old_value, new_value, cause, publish_id from ops.corrections")).toEqual([
    { old_value: "1.00", new_value: "2.00", cause: "manual edit by pizza_owner", publish_id: null },
  ]);
  await publishAll(2, march);
  expect(
    await pipeline.reader.query("select revenue from gold.daily_sales_summary where order_date = '2015-03-01'"),
  ).toEqual([{ revenue: "26.50" }]);
});
