import { beforeEach, describe, expect, it } from "vitest";
import { resentKey } from "../../../pipeline/domain/stream-position.ts";
import { explainedTables } from "../../../pipeline/explain/gold-tables.ts";
import { event, sellMessily } from "../quality/messy-day.ts";
import type { ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";
import { openForEachTest } from "../reconciliation/receipt-hooks.ts";

let pipeline: ReceiptPipeline;
let sold: Awaited<ReturnType<typeof sellMessily>>;
openForEachTest((opened) => ({ pipeline } = opened));
beforeEach(async () => {
  sold = await sellMessily(pipeline);
});

/** Returns the revision and outcome of every event of an order, by stream position. */
async function outcomes(orderId: string) {
  const { events } = await pipeline.trace(orderId);
  const places = events.map(({ revision, outcome, sequenceNumber, recordIndex }) => ({
    place: `${sold.records.findIndex((record) => record.sequenceNumber === sequenceNumber)}/${recordIndex}`,
    revision,
    outcome,
  }));
  return places.toSorted((a, b) => (a.place < b.place ? -1 : 1));
}

describe("a trace", () => {
  it("finds every event of an order and its outcome", async () => {
    expect(await outcomes("a")).toEqual([
      { place: "0/0", revision: 0, outcome: "accepted" },
      { place: "1/0", revision: 0, outcome: "event duplicate" },
    ]);
    expect(await outcomes("b")).toEqual([
      { place: "0/1", revision: 0, outcome: "superseded" },
      { place: "1/1", revision: 1, outcome: "accepted" },
      { place: "4/1", revision: 0, outcome: "superseded" },
    ]);
    expect(await outcomes("c")).toEqual([
      { place: "0/2", revision: 0, outcome: "accepted" },
      { place: "1/2", revision: 0, outcome: "quarantined" },
    ]);
  });

  it("names the bronze objects, the version that consumed them, and the data file in silver", async () => {
    const { events, silver } = await pipeline.trace("d");
    const versions = (await pipeline.silver.snapshot()).version;
    expect(events).toMatchObject([{ outcome: "accepted", silverVersion: 0 }]);
    expect(events[0]!.bronzeKeys).toEqual([sold.keys[1], sold.keys[3]]);
    expect(silver).toMatchObject({ orderDate: "2015-01-02", lines: [{ pizzaId: "hawaiian_m", revenueCents: 1325 }] });
    expect(await pipeline.store.get(silver!.file)).toBeDefined();
    expect(silver!.fileVersion).toBeLessThanOrEqual(versions);
    expect((await pipeline.trace("g")).events).toMatchObject([{ silverVersion: 1 }]);
  });

  it("shows the gold rows that the order counts in, with their revenue", async () => {
    const { gold: rows, window } = await pipeline.trace("c");
    expect(window).toMatchObject({ silverVersion: 0 });
    const [day] = await pipeline.owner.query<{ revenue: string }>(
      "select revenue from gold.daily_sales_summary where order_date = '2015-01-01'",
    );
    expect(rows).toContainEqual(
      expect.objectContaining({ table: "gold.daily_sales_summary", key: "2015-01-01", revenue: day!.revenue }),
    );
    const tables = Object.keys(explainedTables).map((name) => `gold.${name}`);
    expect(new Set(rows.map(({ table }) => table))).toEqual(new Set(tables));
    expect(rows.filter(({ table }) => table === "gold.pizza_performance").map(({ key }) => key)).toEqual([
      "2015-01-01, bbq_ckn_s",
      "2015-01-01, hawaiian_m",
    ]);
  });

  it("shows no gold row for an order that is not a sale", async () => {
    expect(await pipeline.trace("e")).toMatchObject({ silver: { status: "cancelled" }, gold: [], window: {} });
  });

  it("shows why an order was rejected, and what was resent in its place", async () => {
    const [rejected] = (await pipeline.trace("f")).events;
    expect(rejected).toMatchObject({ outcome: "quarantined", refused: { reason: "unknown_store", isClosed: false } });
    const place = `${rejected!.shard}/${rejected!.sequenceNumber}/${rejected!.recordIndex}`;
    const corrected = Buffer.from(JSON.stringify(event(10, "f")));
    await pipeline.land(await pipeline.sendUnder(resentKey(place), corrected));
    await pipeline.work();
    expect(await pipeline.traces("f")).toMatchObject([
      { storeId: "nyc-01", orderDate: "2015-01-01", events: [{ outcome: "accepted", corrects: place }] },
      { storeId: "mars-01", orderDate: null, events: [{ outcome: "quarantined", refused: { isClosed: true } }] },
    ]);
  });

  it("finds an order that is only in bronze", async () => {
    await pipeline.land(await pipeline.send([event(20, "new")]));
    expect(await pipeline.trace("new")).toMatchObject({
      events: [{ outcome: "pending", silverVersion: null }],
      silver: null,
      gold: [],
      window: null,
    });
  });

  it("does not find orders whose id only begins the same, and finds nothing for an unknown id", async () => {
    await pipeline.land(await pipeline.send([event(20, "aa")]));
    await pipeline.work();
    expect((await pipeline.trace("aa")).events).toHaveLength(1);
    expect(await pipeline.traces("nonsense")).toEqual([]);
  });

  it("reports an event that silver consumed but lacks as lost", async () => {
    const { silver } = pipeline;
    const { version, files } = await silver.snapshot();
    await silver.commit({
      readVersion: version,
      operation: "DELETE",
      adds: [],
      removes: [...files.values()].filter(({ partition }) => partition === "2015-01-02"),
      transactions: [],
      operationMetrics: {},
    });
    expect(await pipeline.trace("d")).toMatchObject({ events: [{ outcome: "lost" }], silver: null });
  });
});
