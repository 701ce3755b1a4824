import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publishQuarantine } from "../../../pipeline/silver/quarantine-table.ts";
import { refineSilver } from "../../../pipeline/silver/refine-silver.ts";
import { order } from "../../support/order-fixture.ts";
import { failingOnce, noon, openSilverPipeline, record, shard, type SilverPipeline } from "./refine-fixture.ts";

let pipeline: SilverPipeline;
beforeEach(async () => {
  pipeline = await openSilverPipeline();
});
afterEach(() => pipeline.close());

const reasons = async () => (await pipeline.quarantined("reason")).map(({ reason }) => reason);
const commitOf = (table: string) => new RegExp(`${table}/_delta_log/\\d{20}\\.json$`);

describe("a rejected event", () => {
  it("is quarantined with its reason, its stream position, its bytes and its order id", async () => {
    const bad = JSON.stringify(order({ order_id: "x-1", store_id: "mars-01" }));
    const stored = record(3, [order(), bad]);
    const key = await pipeline.land(stored);
    await pipeline.refine();
    expect(await pipeline.publish()).toMatchObject({ files: 1, rows: 1 });
    expect(await pipeline.quarantined()).toEqual([
      {
        shard,
        sequence_number: stored.sequenceNumber,
        record_index: 1,
        arrived_at: new Date(noon).toISOString(),
        reason: "unknown_store",
        detail: 'store_id "mars-01": the store is not in the list of stores',
        order_id: "x-1",
        payload: bad,
        payload_base64: null,
        bronze_key: key,
        quarantined_at: new Date(noon).toISOString(),
        store_id: "mars-01",
        order_date: null,
        revision: 0,
        producer_id: "till-nyc-01-3",
      },
    ]);
    expect(await pipeline.rows("order_id")).toEqual([{ order_id: "2015-000001" }]);
  });

  it("keeps its exact bytes if they are not text", async () => {
    const bytes = Buffer.from([0x7b, 0xc3, 0x00, 0xff]);
    await pipeline.land(record(1, bytes));
    await pipeline.refine();
    await pipeline.publish();
    const [row] = await pipeline.quarantined("payload, payload_base64");
    expect(Buffer.from(String(row!["payload_base64"]), "base64")).toEqual(bytes);
    expect(row!["payload"]).toBe("{\ufffd\0\ufffd");
  });

  it("is quarantined if it conflicts with an accepted one, which stays in silver", async () => {
    const other = order({ channel: "delivery", emitted_at: "2015-01-01T16:38:38Z" });
    const moved = order({ revision: 1, status: "amended", ordered_at: "2015-01-01T12:00:00-05:00" });
    await pipeline.land(record(1, [order(), other]));
    await pipeline.refine();
    await pipeline.land(record(2, [moved]));
    await pipeline.refine();
    await pipeline.publish();
    expect(await pipeline.quarantined("reason, detail, payload")).toEqual([
      {
        reason: "conflicting_payload",
        detail: "order 2015-000001 revision 0: another payload of the same order and revision was sent earlier",
        payload: JSON.stringify(other),
      },
      {
        reason: "ordered_at_changed",
        detail:
          "order 2015-000001 revision 1: the order has an earlier time in another event: its time never changes, and two tills must not share a number",
        payload: JSON.stringify(moved),
      },
    ]);
    expect(await pipeline.rows("revision, channel")).toEqual([{ revision: 0, channel: "dine_in" }]);
  });
});

describe("publishing the quarantine", () => {
  it("adds the rejected events of several runs, and nothing the second time", async () => {
    for (let n = 0; n < 3; n++) {
      await pipeline.land(record(n, ["garbage", order({ order_id: `a-${n}` })]));
      await pipeline.refine();
    }
    expect(await pipeline.publish()).toMatchObject({ files: 3, rows: 3 });
    expect(await pipeline.publish()).toMatchObject({ files: 0, rows: 0 });
    expect(await publishQuarantine(pipeline.openRefinery())).toMatchObject({ files: 0, rows: 0 });
    expect(await reasons()).toEqual(["not_json", "not_json", "not_json"]);
  });

  it("adds each file once under three concurrent runs, and only one of them reports it", async () => {
    await pipeline.land(record(1, "garbage"));
    await pipeline.refine();
    const runs = await Promise.all([1, 2, 3].map(() => publishQuarantine(pipeline.openRefinery())));
    expect(runs.reduce((sum, { rows }) => sum + rows, 0)).toBe(1);
    expect(await reasons()).toEqual(["not_json"]);
  });

  it("is completed by the next run if the previous one crashed", async () => {
    await pipeline.land(record(1, "garbage"));
    const doomed = pipeline.openRefinery(failingOnce(pipeline.store, commitOf("quarantine/order_events")));
    await refineSilver(doomed);
    await expect(publishQuarantine(doomed)).rejects.toThrow("died");
    expect(await reasons()).toEqual([]);
    expect(await pipeline.refine()).toMatchObject({ bronzeObjects: 0 });
    expect(await pipeline.publish()).toMatchObject({ files: 1, rows: 1 });
    expect(await reasons()).toEqual(["not_json"]);
  });

  it("never shows the rejected events of a silver commit that failed", async () => {
    await pipeline.land(record(1, "garbage"));
    const doomed = pipeline.openRefinery(failingOnce(pipeline.store, commitOf("silver/order_lines")));
    await expect(refineSilver(doomed)).rejects.toThrow("died");
    expect(await pipeline.publish()).toMatchObject({ files: 0 });
    await pipeline.refine();
    await pipeline.publish();
    expect(await reasons()).toEqual(["not_json"]);
    expect(await pipeline.store.list("quarantine/order_events/part-")).toHaveLength(2);
  });

  it("advances its cursor through long periods without a rejection", async () => {
    await pipeline.land(record(0, "garbage"));
    await pipeline.refine();
    await pipeline.publish();
    for (let n = 1; n <= 101; n++) {
      await pipeline.land(record(n, order({ order_id: `a-${n}` })));
      await pipeline.refine();
      if (n % 50 === 0) await pipeline.publish();
    }
    expect(await pipeline.publish()).toMatchObject({ files: 0, version: 1 });
    const { transactions } = await pipeline.refinery.quarantine.snapshot();
    expect(transactions.get("silver/order_lines")?.version).toBeGreaterThanOrEqual(100);
  });
});

describe("a rejected event that is redelivered", () => {
  const again = record(7, ["garbage", order({ order_id: "a" }), order({ order_id: "a", channel: "delivery" })]);

  it("is quarantined once, whether or not the first copy has been published", async () => {
    for (const count of [1, 2, 3]) {
      await pipeline.land(again, ...Array.from({ length: count }, (_, n) => record(100 * count + n, `${n}`)));
      const { redeliveredEvents } = await pipeline.refine();
      expect(redeliveredEvents).toBe(count === 1 ? 0 : 3);
      if (count > 1) await pipeline.publish();
    }
    expect(await reasons()).toEqual(["not_json", "conflicting_payload", ...Array(6).fill("wrong_type")]);
  });

  it("is quarantined once by two concurrent runs", async () => {
    await pipeline.land(again);
    await pipeline.land(again, record(8, "garbage"));
    await Promise.all([1, 2].map(() => refineSilver(pipeline.openRefinery(), { maxEvents: 1 })));
    await pipeline.refine();
    await pipeline.publish();
    expect(await reasons()).toEqual(["not_json", "conflicting_payload", "not_json"]);
  });

  it("reads no data file if all quarantined events arrived at other times", async () => {
    await pipeline.land(record(1, "garbage"));
    await pipeline.refine();
    await pipeline.publish();
    const read: string[] = [];
    const get = async (key: string) => {
      read.push(key);
      return await pipeline.store.get(key);
    };
    await pipeline.land(record(2, "garbage", { arrivedAt: noon + 1 }));
    await refineSilver(pipeline.openRefinery({ ...pipeline.store, get }));
    expect(read.filter((key) => key.startsWith("quarantine/order_events/part-"))).toEqual([]);
  });
});
