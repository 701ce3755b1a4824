import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readMenu } from "../../adapters/project-files.ts";
import type { OrderEvent } from "../../pipeline/domain/generated/order-event.types.ts";
import type { Pipeline } from "../../targets/operations.ts";
import { openLocalPipeline } from "../../targets/local/open.ts";
import { order } from "../support/order-fixture.ts";
import { goldHashes, sendOrders, temporaryPipeline } from "./command-line-fixture.ts";
import { replayedYear } from "./replayed-year.ts";

const { dir, remove } = temporaryPipeline();
let pipeline: Pipeline;

/** How much later the pipeline believes it to be. */
let laterMs = 0;
const realNow = Date.now;

beforeAll(async () => {
  vi.spyOn(Date, "now").mockImplementation(() => realNow() + laterMs);
  await (await replayedYear()).copyTo(dir);
  pipeline = await openLocalPipeline({ dir });
});

afterAll(async () => {
  await pipeline?.close();
  vi.restoreAllMocks();
  remove();
});

const gold = (sql: string) => pipeline.query({ sql });
const lake = (sql: string, version?: number) => pipeline.query({ sql, lake: true, version });
const price = new Map(readMenu().map((pizza) => [pizza.pizza_id, pizza.price_cents]));

/** An order of 1 March 2015 that is not in the classic year. */
function lateOrder(revision: number, changes: Partial<OrderEvent> = {}): OrderEvent {
  return order({
    order_id: "2015-late-1",
    revision,
    ordered_at: "2015-03-01T19:30:00-05:00",
    emitted_at: `2026-01-01T00:00:0${revision}.000Z`,
    producer: { producer_id: "till-late", seq: revision + 1 },
    lines: [line(1, "thai_ckn_l", 2), line(2, "hawaiian_s", 1)],
    customer: { customer_id: "c-late" },
    ...changes,
  });
}

function line(line_no: number, pizza_id: string, quantity: number) {
  return { line_no, pizza_id, quantity, unit_price: price.get(pizza_id)! / 100 };
}

describe("the classic year in a local pipeline", () => {
  it("is the same in every layer, and the receipt balances", async () => {
    const [year] = await gold(
      `select sum(orders)::int as orders, sum(order_lines)::int as lines, sum(pizzas)::int as pizzas, sum(revenue) as revenue
       from gold.daily_sales_summary`,
    );
    expect(year).toEqual({ orders: 21_350, lines: 48_620, pizzas: 49_574, revenue: "817860.05" });
    const receipt = await pipeline.verify();
    expect(receipt.findings).toEqual([]);
    const sales = { orders: 21_350, lines: 48_620, pizzas: 49_574, cents: 81_786_005 };
    expect(receipt).toMatchObject({ expected: sales, silver: sales, gold: sales, unpublishedDays: [] });
    expect(receipt.events).toMatchObject({ distinct: 21_350, accepted: 21_350, quarantined: {}, pending: 0 });
  });

  it("produces no corrections", async () => {
    expect(await gold("select count(*)::int as n from ops.corrections")).toEqual([{ n: 0 }]);
  });

  it("is corrected by a late order in exactly the affected rows, which the ledger records", async () => {
    // The days of a replay are reported a minute after its last event.
    laterMs = 61_000;
    await pipeline.drain();
    const before = await pipeline.status();
    const hashes = await goldHashes(pipeline);
    const [{ version }] = (await gold("select max(silver_version)::int as version from ops.windows")) as [
      { version: number },
    ];
    await sendOrders(pipeline.sink, [lateOrder(0)]);
    await pipeline.drain();

    expect((await pipeline.status()).silver).toMatchObject({
      lines: before.silver!.lines + 2,
      days: before.silver!.days,
    });
    const ledger = await gold("select order_date::text as day from ops.windows where silver_version > " + version);
    expect(ledger).toEqual([{ day: "2015-03-01" }]);

    for (const [table, key, allowed] of touched) {
      const changed = await gold(
        `select ${key} as key from gold.${table} where silver_version > ${version} order by 1`,
      );
      expect(changed.length, table).toBeGreaterThan(0);
      expect(
        await gold(`select 1 from gold.${table} where silver_version > ${version} and not (${allowed})`),
        table,
      ).toEqual([]);
      const logged = await gold(
        `select distinct ${key.replaceAll(/\b(order_date|month|hour|pizza_id|pizza_type_id|category|size|store_id|channel|state|city|customer_key)\b/g, "(key->>'$1')")} as key
         from ops.corrections where table_name = 'gold.${table}' order by 1`,
      );
      expect(logged, table).toEqual(changed);
    }
    const [day] = await gold(
      `select old_value::numeric as before, new_value::numeric as after, cause from ops.corrections
       where table_name = 'gold.daily_sales_summary' and column_name = 'revenue'`,
    );
    const cents = 2 * price.get("thai_ckn_l")! + price.get("hawaiian_s")!;
    expect(Math.round(Number(day!["after"]) * 100) - Math.round(Number(day!["before"]) * 100)).toBe(cents);
    expect(day!["cause"]).toContain("2015-03-01");
    expect(await goldHashes(pipeline)).not.toEqual(hashes);
    expect((await pipeline.verify()).findings).toEqual([]);
  });

  it("has the right revenue after an order is amended and then cancelled", async () => {
    const revenue = async () =>
      (await gold("select revenue from gold.daily_sales_summary where order_date = '2015-03-01'"))[0]!["revenue"];
    const withOrder = Number(await revenue());
    await sendOrders(pipeline.sink, [lateOrder(1, { status: "amended", lines: [line(1, "hawaiian_s", 1)] })]);
    await pipeline.drain();
    expect(Number(await revenue())).toBeCloseTo(withOrder - (2 * price.get("thai_ckn_l")!) / 100, 2);
    await sendOrders(pipeline.sink, [lateOrder(2, { status: "cancelled", lines: [line(1, "hawaiian_s", 1)] })]);
    await pipeline.drain();
    const [year] = await gold(
      "select sum(revenue) as revenue, sum(orders)::int as orders from gold.daily_sales_summary",
    );
    expect(year).toEqual({ revenue: "817860.05", orders: 21_350 });
    expect((await pipeline.verify()).findings).toEqual([]);
  });

  it("has the same result if revisions of an order arrive out of order", async () => {
    const hashes = await goldHashes(pipeline);
    const revisions = [0, 1, 2].map((revision) =>
      lateOrder(revision, {
        order_id: "2015-late-2",
        status: (["placed", "amended", "cancelled"] as const)[revision]!,
        producer: { producer_id: "till-late-2", seq: revision + 1 },
      }),
    );
    for (const revision of [2, 0, 1]) {
      await sendOrders(pipeline.sink, [revisions[revision]!]);
      await pipeline.drain();
    }
    expect(await goldHashes(pipeline)).toEqual(hashes);
    expect((await pipeline.verify()).events.supersededRevisions).toBe(4);
  });

  it("can be queried at an old version of silver", async () => {
    const count = "select count(*) as n from silver_order_lines";
    const [now] = await lake(count);
    const [first] = await lake(count, 0);
    expect(now!["n"]).toBe(48_623n);
    expect(Number(first!["n"])).toBeLessThan(48_620);
    await expect(lake(count, 9999)).rejects.toThrow("9999");
  });

  it("is equal to a rebuild from bronze, including revisions and corrections", async () => {
    const [hashes, before] = [await goldHashes(pipeline), await pipeline.status()];
    const whole = { from: "2015-01-01", to: "2015-12-31", source: "bronze", isDryRun: false } as const;
    expect(await pipeline.rebuild(whole)).toMatchObject({ equal: true, published: false, differences: [], days: 358 });
    expect(await goldHashes(pipeline)).toEqual(hashes);
    const { silver, workflows } = await pipeline.status();
    expect(silver).toEqual(before.silver);
    expect(workflows.map(({ workflow }) => workflow)).toContain("rebuild");
  });

  it("does not change when the workflows run again", async () => {
    const [hashes, status] = [await goldHashes(pipeline), await pipeline.status()];
    await pipeline.run({ workflow: "bronze_to_silver" });
    await pipeline.run({ workflow: "silver_to_gold" });
    expect(await goldHashes(pipeline)).toEqual(hashes);
    expect((await pipeline.status()).silver?.version).toBe(status.silver!.version);
  });
});

/** Per gold table: the key as text, and the rows that a late dine-in order of 1 March 2015 in New York may change. */
const march = "month = '2015-03-01'";
const touched: [table: string, key: string, allowed: string][] = [
  ["daily_sales_summary", "order_date::text", "order_date = '2015-03-01'"],
  ["hourly_trends", "order_date::text || hour::text", "order_date = '2015-03-01' and hour = 19"],
  ["monthly_sales_summary", "month::text", "month in ('2015-03-01', '2015-04-01')"],
  ["pizza_performance", "month::text || pizza_id", march],
  ["pizza_type_performance", "month::text || pizza_type_id", march],
  ["category_performance", "month::text || category", march],
  ["size_performance", "month::text || size", march],
  [
    "revenue_analytics",
    "order_date::text || store_id || channel",
    "order_date between '2015-03-01' and '2015-03-31' and store_id = 'nyc-01' and channel = 'dine_in'",
  ],
  ["geographic_sales", "month::text || state || city", `${march} and city = 'New York'`],
  ["customer_segments", "customer_key", "true"],
];
