import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { planWindows } from "../../../pipeline/gold/plan-windows.ts";
import { publishWindows, publishCustomers } from "../../../pipeline/gold/publish-windows.ts";
import { reportWindows } from "../../../pipeline/gold/report-windows.ts";
import { order } from "../../support/order-fixture.ts";
import { noon, openSilverPipeline, record, type SilverPipeline } from "../silver/refine-fixture.ts";
import { openGoldPipeline, sql, type GoldPipeline } from "./gold-fixture.ts";

let gold: GoldPipeline;
let pipeline: SilverPipeline;
let sent = 0;

beforeAll(async () => {
  gold = await openGoldPipeline();
});
beforeEach(async () => {
  await gold.empty();
  pipeline = await openSilverPipeline();
  return () => pipeline.close();
});
afterAll(async () => {
  await gold.close();
});

/** The state of a function, created for every call as after a cold start. */
function steps(customersEveryMs = 60_000) {
  const { silver, store, stream } = pipeline.openRefinery();
  const clock = () => pipeline.now;
  const publishing = { silver, lake: pipeline.lake, warehouse: gold.writer, sql, clock };
  return {
    plan: async (customers: "now" | "when due" = "when due") =>
      await planWindows({ ...publishing, store, stream, customersEveryMs }, { customers }),
    publish: publishWindows.bind(undefined, publishing),
    customers: publishCustomers.bind(undefined, publishing),
    report: reportWindows.bind(undefined, publishing),
  };
}

async function refine(orderId: string, secondsAgo: number) {
  const emitted = new Date(pipeline.now - secondsAgo * 1000).toISOString();
  const event = order({ order_id: orderId, ordered_at: "2015-01-02T06:59:00-05:00", emitted_at: emitted });
  await pipeline.land(record(sent++, event, { arrivedAt: pipeline.now }));
  await pipeline.refine();
}

async function publishAll() {
  const plan = await steps().plan("now");
  for (const batch of plan.batches) await steps().publish(batch);
  await steps().customers(plan);
  return plan;
}

describe("the steps of silver_to_gold", () => {
  it("plan nothing before the first order", async () => {
    expect(await steps().plan("now")).toEqual({
      silverVersion: -1,
      watermark: null,
      batches: [],
      customerBatches: [],
      customersDue: false,
    });
  });

  it("publish rows by customer immediately the first time, then no more often than the interval allows", async () => {
    await refine("a", 1);
    expect(await steps().plan()).toMatchObject({
      batches: [{ windows: ["2015-01-02"] }],
      customerBatches: [["2015-01-02"]],
      customersDue: true,
    });
    await publishAll();
    await refine("b", 1);
    pipeline.now = noon + 59_999;
    expect(await steps().plan()).toMatchObject({ customerBatches: [["2015-01-02"]], customersDue: false });
    pipeline.now = noon + 60_000;
    expect((await steps().plan()).customersDue).toBe(true);
    // After the clock was set back, the elapsed time is unknown.
    pipeline.now = noon - 3_600_000;
    expect((await steps().plan()).customersDue).toBe(true);
    pipeline.now = noon + 60_000;
    await publishAll();
    pipeline.now = noon + 200_000;
    expect(await steps().plan()).toMatchObject({ customerBatches: [], customersDue: false });
    expect((await steps().plan("now")).customersDue).toBe(true);
  });

  it("publish customers month by month, and the next run goes on where the time of one ended", async () => {
    const ofFebruary = order({ order_id: "feb", ordered_at: "2015-02-02T06:59:00-05:00" });
    await refine("jan", 1);
    pipeline.now += 31 * 86_400_000;
    await pipeline.land(record(sent++, ofFebruary, { arrivedAt: pipeline.now }));
    await pipeline.refine();
    const plan = await steps().plan();
    for (const batch of plan.batches) await steps().publish(batch);
    expect(plan.customerBatches).toEqual([["2015-01-02"], ["2015-02-02"]]);
    expect(await steps().customers(plan, { until: pipeline.now })).toMatchObject({ windows: 1, published: 1 });
    const next = await steps().plan();
    expect(next).toMatchObject({ customerBatches: [["2015-02-02"]], customersDue: true });
    expect(await steps().customers(next, { until: pipeline.now + 1 })).toMatchObject({ windows: 1, published: 1 });
    expect(await steps().plan()).toMatchObject({ customerBatches: [], customersDue: false });
  });

  it("report no day while a landed object is waiting to be refined", async () => {
    await refine("a", 1);
    expect((await steps().plan()).watermark).toBe("2015-01-01");
    await pipeline.land(record(sent++, order({ order_id: "waiting" }), { arrivedAt: pipeline.now }));
    expect((await steps().plan()).watermark).toBeNull();
    await pipeline.refine();
    expect((await steps().plan()).watermark).toBe("2015-01-01");
  });

  it("record the latency of orders, once for each version that became visible", async () => {
    await refine("a", 4);
    await refine("b", 2);
    const plan = await publishAll();
    pipeline.now += 1000;
    const { freshness } = await steps().report(plan);
    expect(freshness).toEqual({ orders: 2, medianSeconds: 4, p95Seconds: 4 });
    expect((await steps().report(plan)).freshness).toBeNull();
    await refine("c", 7);
    expect((await steps().report(await publishAll())).freshness).toEqual({
      orders: 1,
      medianSeconds: 7,
      p95Seconds: 7,
    });
    const rows = await gold.reader.query("select orders, median_seconds from ops.freshness order by id");
    expect(rows).toEqual([
      { orders: 2, median_seconds: "4" },
      { orders: 1, median_seconds: "7" },
    ]);
  });

  it("keep the time of the newest rows by customer when an older run ends late", async () => {
    const note = (at: string) => gold.writer.query("select ops.note_customers_published($1::timestamptz)::text", [at]);
    for (const time of ["2015-01-02T12:00:00Z", "2015-01-02T11:00:00Z"]) await note(time);
    const known = "select value from ops.cursor where name = 'customers_published_at'";
    expect(await gold.reader.query(known)).toEqual([{ value: "2015-01-02T12:00:00.000Z" }]);
  });

  it("publish from the plan's silver version even if a newer one exists", async () => {
    await refine("a", 1);
    const plan = await steps().plan();
    await refine("b", 1);
    for (const batch of plan.batches) await steps().publish(batch);
    const orders = async () => await gold.reader.query("select orders, silver_version from gold.daily_sales_summary");
    expect(await orders()).toEqual([{ orders: 1, silver_version: "0" }]);
    await publishAll();
    expect(await orders()).toEqual([{ orders: 2, silver_version: "1" }]);
  });
});
