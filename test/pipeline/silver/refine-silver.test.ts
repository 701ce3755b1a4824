import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silverColumns } from "../../../pipeline/silver/columns.ts";
import { refineSilver } from "../../../pipeline/silver/refine-silver.ts";
import { payloadHash } from "../../../pipeline/silver/unpack-record.ts";
import { order } from "../../support/order-fixture.ts";
import {
  customerKey,
  failingOnce,
  noon,
  openSilverPipeline,
  record,
  shard,
  type SilverPipeline,
} from "./refine-fixture.ts";

let pipeline: SilverPipeline;
beforeEach(async () => {
  pipeline = await openSilverPipeline();
});
afterEach(() => pipeline.close());

const line = (line_no: number, pizza_id: string, quantity: number) => {
  const unit_price = { hawaiian_m: 13.25, hawaiian_l: 16.5, bbq_ckn_s: 12.75 }[pizza_id];
  return { line_no, pizza_id, quantity, unit_price };
};
const named = (order_id: string, changes: Record<string, unknown> = {}) => order({ order_id, ...changes });
const ids = async () => (await pipeline.rows("order_id")).map((row) => row["order_id"]);
const isBronze = (key: string) => key.startsWith("bronze/");
const commitKey = /silver\/order_lines\/_delta_log\/\d{20}\.json$/;

describe("an order line in silver", () => {
  it("has the order, its amounts in cents, its store, its pizza, its times and its origin", async () => {
    const event = order({ lines: [line(7, "hawaiian_l", 3)] });
    const stored = record(5, ["garbage", event]);
    await pipeline.land(stored);
    await pipeline.refine();
    const rows = await pipeline.rows();
    expect(rows).toEqual([
      {
        order_id: "2015-000001",
        line_no: 7,
        revision: 0,
        status: "placed",
        ordered_at: "2015-01-01T16:38:36.000Z",
        order_date: "2015-01-01",
        order_hour: 11,
        daypart: "lunch",
        store_id: "nyc-01",
        city: "New York",
        state: "New York",
        channel: "dine_in",
        customer_key: customerKey("c-000117"),
        pizza_id: "hawaiian_l",
        pizza_type_id: "hawaiian",
        pizza_name: "The Hawaiian Pizza",
        category: "Classic",
        size: "L",
        quantity: 3,
        unit_price_cents: 1650,
        unit_cost_cents: 520,
        revenue_cents: 4950,
        cost_cents: 1560,
        margin_cents: 3390,
        is_first_of_order: true,
        is_first_of_pizza: true,
        is_first_of_type: true,
        is_first_of_category: true,
        is_first_of_size: true,
        emitted_at: "2015-01-01T16:38:37.120Z",
        arrived_at: new Date(noon).toISOString(),
        producer_id: "till-nyc-01-3",
        producer_seq: 1n,
        shard,
        sequence_number: stored.sequenceNumber,
        record_index: 1,
        payload_hash: payloadHash(JSON.stringify(event)),
        promotion_code: null,
        tip_cents: null,
        till_offset_minutes: null,
      },
    ]);
    expect(Object.keys(rows[0]!)).toHaveLength(silverColumns.length + 1);
  });

  it("has the date and hour of the store's local time, even if it is another day in UTC", async () => {
    await pipeline.land(record(1, [named("late", { ordered_at: "2014-12-31T23:59:59.999999-05:00" })]));
    await pipeline.refine();
    expect(await pipeline.rows("order_date, order_hour, daypart, ordered_at")).toEqual([
      { order_date: "2014-12-31", order_hour: 23, daypart: "late", ordered_at: "2015-01-01T04:59:59.999999Z" },
    ]);
  });

  it("marks one line per order, pizza, type, category and size", async () => {
    const lines = [
      line(4, "hawaiian_m", 1),
      line(2, "hawaiian_l", 1),
      line(3, "bbq_ckn_s", 1),
      line(9, "hawaiian_m", 2),
    ];
    await pipeline.land(record(1, [named("a", { lines }), named("b", { lines: lines.slice(0, 1) })]));
    await pipeline.refine();
    const marks = ["order", "pizza", "type", "category", "size"].map((level) => `is_first_of_${level}`);
    const rows = await pipeline.rows(["order_id", "line_no", ...marks].join(", "));
    expect(rows.map((row) => [row["order_id"], row["line_no"], ...marks.map((mark) => Number(row[mark]))])).toEqual([
      ["a", 2, 0, 1, 0, 0, 1],
      ["a", 3, 0, 1, 1, 1, 1],
      ["a", 4, 1, 1, 1, 1, 1],
      ["a", 9, 0, 0, 0, 0, 0],
      ["b", 4, 1, 1, 1, 1, 1],
    ]);
  });

  it("has no customer key if the guest gave no name", async () => {
    const { customer: _, ...anonymous } = order();
    await pipeline.land(record(1, [anonymous]));
    await pipeline.refine();
    expect(await pipeline.rows("customer_key")).toEqual([{ customer_key: null }]);
  });
});

describe("refining", () => {
  it("reports what it has done, and does nothing the second time", async () => {
    await pipeline.land(
      record(1, [named("a"), named("b", { lines: [line(1, "hawaiian_m", 1), line(2, "bbq_ckn_s", 1)] })]),
    );
    expect(await pipeline.refine()).toMatchObject({
      version: 0,
      bronzeObjects: 1,
      remaining: 0,
      events: 2,
      accepted: 2,
      lines: 3,
      quarantined: 0,
      filesWritten: 1,
    });
    expect(await pipeline.refine()).toMatchObject({ version: 0, bronzeObjects: 0, events: 0, accepted: 0 });
    expect(await ids()).toEqual(["a", "b", "b"]);
  });

  it("does nothing, and creates no table, if bronze is empty", async () => {
    expect(await pipeline.refine()).toMatchObject({ version: -1, bronzeObjects: 0 });
    expect(await pipeline.store.list("silver/")).toEqual([]);
  });

  it("consumes every object once, however many runs are concurrent", async () => {
    for (let n = 0; n < 12; n++) await pipeline.land(record(n, [named(`order-${n}`)]));
    const others = Array.from({ length: 3 }, () => pipeline.openRefinery());
    const runs = await Promise.all(
      others.flatMap((refinery) => [1, 2].map(() => refineSilver(refinery, { maxEvents: 3 }))),
    );
    const worked = runs.filter(({ bronzeObjects }) => bronzeObjects > 0);
    expect(worked.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    expect(worked.map(({ bronzeObjects }) => bronzeObjects)).toEqual([3, 3, 3, 3]);
    expect(await ids()).toEqual(Array.from({ length: 12 }, (_, n) => `order-${n}`).toSorted());
  });

  it.each(["before", "after"] as const)(
    "loses and duplicates nothing when it crashes right %s the commit",
    async (when) => {
      await pipeline.land(record(1, [named("a"), "garbage"]));
      const doomed = pipeline.openRefinery(failingOnce(pipeline.store, commitKey, when));
      await expect(refineSilver(doomed)).rejects.toThrow("died");
      expect(await ids()).toHaveLength(when === "after" ? 1 : 0);
      await refineSilver(doomed);
      await pipeline.refine();
      await pipeline.publish();
      expect(await ids()).toEqual(["a"]);
      expect(await pipeline.quarantined("reason")).toEqual([{ reason: "not_json" }]);
    },
  );

  it("fails, and consumes nothing, if a listed object is missing", async () => {
    await pipeline.land(record(1, [named("a")]));
    const blind = {
      ...pipeline.store,
      get: async (key: string) => (isBronze(key) ? undefined : await pipeline.store.get(key)),
    };
    await expect(refineSilver(pipeline.openRefinery(blind))).rejects.toThrow("was listed but cannot be read");
    await pipeline.refine();
    expect(await ids()).toEqual(["a"]);
  });

  it("loses nothing when it crashes while rewriting a file", async () => {
    await pipeline.land(record(1, [named("a"), named("b")]));
    await pipeline.refine();
    await pipeline.land(record(2, [named("a", { revision: 1, status: "cancelled" })]));
    await expect(refineSilver(pipeline.openRefinery(failingOnce(pipeline.store, commitKey)))).rejects.toThrow("died");
    expect(await pipeline.rows("order_id, revision")).toEqual([
      { order_id: "a", revision: 0 },
      { order_id: "b", revision: 0 },
    ]);
    await pipeline.refine();
    expect(await pipeline.rows("order_id, revision")).toEqual([
      { order_id: "a", revision: 1 },
      { order_id: "b", revision: 0 },
    ]);
  });

  it("accepts a record in several objects once, in one run or in two", async () => {
    const records = [1, 2, 3, 4].map((n) => record(n, [named(`order-${n}`)]));
    await pipeline.land(...records.slice(0, 2));
    await pipeline.land(...records.slice(1, 3));
    expect(await pipeline.refine()).toMatchObject({ accepted: 3, repeatedRecords: 1, redeliveredEvents: 0 });
    await pipeline.land(...records);
    expect(await pipeline.refine()).toMatchObject({ accepted: 1, redeliveredEvents: 3, eventDuplicates: 0 });
    expect(await ids()).toEqual(["order-1", "order-2", "order-3", "order-4"]);
  });

  it("counts the same event sent twice as a duplicate", async () => {
    await pipeline.land(record(1, [named("a")]), record(2, [named("a"), named("a")]));
    expect(await pipeline.refine()).toMatchObject({ accepted: 1, eventDuplicates: 2, redeliveredEvents: 0 });
    await pipeline.land(record(3, named("a")));
    expect(await pipeline.refine()).toMatchObject({ accepted: 0, eventDuplicates: 1, filesWritten: 0 });
    expect(await ids()).toEqual(["a"]);
  });
});

describe("revisions", () => {
  const placed = named("a", { lines: [line(1, "hawaiian_m", 1), line(2, "bbq_ckn_s", 1)] });
  const amended = named("a", { revision: 1, status: "amended", lines: [line(1, "hawaiian_l", 2)] });
  const cancelled = named("a", { revision: 2, status: "cancelled", lines: [line(1, "hawaiian_l", 2)] });
  const last = [{ revision: 2, status: "cancelled", pizza_id: "hawaiian_l", quantity: 2, is_first_of_order: true }];
  const shown = () => pipeline.rows("revision, status, pizza_id, quantity, is_first_of_order");

  describe.each([
    ["in order", [placed, amended, cancelled]],
    ["in reverse order", [cancelled, amended, placed]],
    ["out of order", [amended, cancelled, placed]],
  ])("that arrive %s", (_, events) => {
    it("leave only the last one, in one run", async () => {
      await pipeline.land(record(1, events));
      expect(await pipeline.refine()).toMatchObject({ accepted: 1, supersededRevisions: 2 });
      expect(await shown()).toEqual(last);
    });

    it("leave only the last one, over several runs", async () => {
      let superseded = 0;
      for (const [n, event] of events.entries()) {
        await pipeline.land(record(n, event));
        superseded += (await pipeline.refine()).supersededRevisions;
      }
      expect(await shown()).toEqual(last);
      expect(superseded).toBe(2);
    });
  });

  it("rewrite only the file that holds their order", async () => {
    await pipeline.land(record(1, [named("a"), named("b")]));
    await pipeline.refine();
    await pipeline.land(record(2, [named("c"), named("d")]));
    await pipeline.land(record(3, [named("z", { ordered_at: "2015-01-02T01:00:00-05:00" })]));
    await pipeline.refine();
    const before = await pipeline.files();
    await pipeline.land(record(4, [named("c", { revision: 1, status: "amended", lines: [line(1, "hawaiian_l", 1)] })]));
    expect(await pipeline.refine()).toMatchObject({ filesRead: 1, filesRewritten: 1, filesWritten: 1 });
    const after = await pipeline.files();
    expect(before.filter((path) => after.includes(path))).toHaveLength(2);
    expect(await pipeline.rows("order_id, revision")).toEqual(
      ["a", "b", "c", "d", "z"].map((order_id) => ({ order_id, revision: order_id === "c" ? 1 : 0 })),
    );
  });

  it("of one run rewrite a shared file only once", async () => {
    await pipeline.land(record(1, [named("a"), named("b"), named("c")]));
    await pipeline.refine();
    const revise = (order_id: string) => named(order_id, { revision: 1, status: "refunded" });
    await pipeline.land(record(2, [revise("a"), revise("c"), named("d")]));
    expect(await pipeline.refine()).toMatchObject({ accepted: 3, filesRead: 1, filesRewritten: 1, filesWritten: 1 });
    expect(await pipeline.rows("order_id, revision")).toEqual(
      [
        ["a", 1],
        ["b", 0],
        ["c", 1],
        ["d", 0],
      ].map(([order_id, revision]) => ({ order_id, revision })),
    );
  });
});

describe("a refine run", () => {
  it("reads only files of the day whose order id range can hold a candidate", async () => {
    const days = ["2015-01-01T12:00:00Z", "2015-01-02T12:00:00Z"];
    for (const [n, ordered_at] of days.entries()) {
      await pipeline.land(record(10 * n, [named("b", { ordered_at }), named("d", { ordered_at })].slice(n)));
      await pipeline.refine();
      await pipeline.land(record(10 * n + 1, [named("k", { ordered_at }), named("m", { ordered_at })].slice(n)));
      await pipeline.refine();
    }
    const reads = async (n: number, order_id: string) => {
      await pipeline.land(record(n, [named(order_id, { ordered_at: days[0] })]));
      return (await pipeline.refine()).filesRead;
    };
    expect(await reads(30, "c")).toBe(1);
    expect(await reads(31, "a")).toBe(0);
    expect(await reads(32, "z")).toBe(0);
    expect(await reads(33, "f")).toBe(0);
    expect(await reads(34, "k")).toBe(1);
  });

  it("stops reading at maxEvents and reports the remaining objects", async () => {
    for (let n = 0; n < 5; n++) await pipeline.land(record(n, [named(`a-${n}`), named(`b-${n}`)]));
    const run = () => pipeline.refine({ maxEvents: 4 });
    expect(await run()).toMatchObject({ bronzeObjects: 2, events: 4, remaining: 3 });
    expect(await run()).toMatchObject({ bronzeObjects: 2, events: 4, remaining: 1 });
    expect(await run()).toMatchObject({ bronzeObjects: 1, events: 2, remaining: 0 });
    expect(await ids()).toHaveLength(10);
  });

  it("reads at least one object, even if it has more events than maxEvents", async () => {
    for (let n = 0; n < 2; n++) await pipeline.land(record(n, [named(`a-${n}`), named(`b-${n}`)]));
    expect(await pipeline.refine({ maxEvents: 1 })).toMatchObject({ bronzeObjects: 1, remaining: 1 });
  });
});

describe("sweeps", () => {
  const hour = 3_600_000;
  const old = (order_id: string) => named(order_id, { ordered_at: "2014-12-01T12:00:00Z" });

  it("list this hour and the previous one, or all hours", async () => {
    for (const back of [5, 1, 0]) {
      pipeline.now = noon - back * hour;
      await pipeline.land(record(10 - back, [old(`back-${back}`)], { arrivedAt: pipeline.now }));
    }
    expect(await pipeline.refine({ sweep: "recent" })).toMatchObject({ bronzeObjects: 2 });
    expect(await ids()).toEqual(["back-0", "back-1"]);
    expect(await pipeline.refine({ sweep: "full" })).toMatchObject({ bronzeObjects: 1 });
    expect(await pipeline.refine({ sweep: "full" })).toMatchObject({ bronzeObjects: 0 });
    expect(await ids()).toEqual(["back-0", "back-1", "back-5"]);
  });

  it("find an object that appears under a past hour, within the horizon", async () => {
    await pipeline.land(record(2, [old("b")]));
    await pipeline.refine();
    pipeline.now = noon - 40 * hour;
    await pipeline.land(record(1, [old("a")], { arrivedAt: pipeline.now }));
    pipeline.now = noon;
    expect(await pipeline.refine({ sweep: "recent" })).toMatchObject({ bronzeObjects: 0 });
    expect(await pipeline.refine()).toMatchObject({ bronzeObjects: 1, accepted: 1 });
  });

  it("advance the low watermark up to the horizon, but never past a pending object", async () => {
    const settled = async () =>
      (await pipeline.refinery.silver.snapshot()).transactions.get("bronze/settled-before")?.version;
    pipeline.now = noon - 100 * hour;
    await pipeline.land(record(1, [old("a")], { arrivedAt: pipeline.now }));
    await pipeline.land(record(2, [old("b")], { arrivedAt: pipeline.now }));
    pipeline.now = noon;
    await pipeline.land(record(3, [old("c")]));
    await pipeline.refine({ maxEvents: 1 });
    expect(await settled()).toBe((noon - 100 * hour) / hour);
    await pipeline.refine({ maxEvents: 1 });
    await pipeline.refine({ maxEvents: 1 });
    expect(await ids()).toEqual(["a", "b", "c"]);
    expect(await settled()).toBe((noon - 48 * hour) / hour);
    await pipeline.land(record(4, [old("d")]));
    await pipeline.refine({ sweep: "recent" });
    expect(await settled()).toBe((noon - 48 * hour) / hour);
  });
});
