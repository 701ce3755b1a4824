import { afterEach, beforeEach, expect, it } from "vitest";
import { refineSilver } from "../../../pipeline/silver/refine-silver.ts";
import { order } from "../../support/order-fixture.ts";
import { openSilverPipeline, record, type SilverPipeline } from "./refine-fixture.ts";

let pipeline: SilverPipeline;
let next = 0;
beforeEach(async () => {
  pipeline = await openSilverPipeline();
});
afterEach(() => pipeline.close());

const first = order({ order_id: "a", ordered_at: "2015-01-01T20:15:00-06:00" });
const amended = (revision: number, ordered_at = first.ordered_at) =>
  order({ order_id: "a", revision, status: "amended", ordered_at });
const moved = amended(1, "2015-01-02T05:00:00-06:00");

/** Lands each list as one record and refines it in a separate run of a newly started process. */
async function takeOneByOne(...events: object[][]): Promise<void> {
  for (const list of events) {
    await pipeline.land(record(next++, list));
    await refineSilver(pipeline.openRefinery());
  }
  await pipeline.publish();
}

const held = async () =>
  (await pipeline.rows("order_date, revision")).map((row) => `${row["order_date"]} ${row["revision"]}`);
const reasons = async () => (await pipeline.quarantined("reason")).map(({ reason }) => reason);

it("rejects a revision that moves its order to another day", async () => {
  await takeOneByOne([first], [moved]);
  expect(await held()).toEqual(["2015-01-01 0"]);
  expect(await reasons()).toEqual(["ordered_at_changed"]);
});

it("rejects the first revision if a later one arrived first with another day", async () => {
  await takeOneByOne([moved], [first]);
  expect(await held()).toEqual(["2015-01-02 1"]);
  expect(await reasons()).toEqual(["ordered_at_changed"]);
});

it("keeps an order on one day however the revisions are split into runs", async () => {
  for (const runs of [
    [[first, moved]],
    [[moved, first]],
    [[moved], [first, amended(2)]],
    [[first], [moved, amended(3)]],
  ]) {
    pipeline.close();
    pipeline = await openSilverPipeline();
    await takeOneByOne(...runs);
    const days = new Set((await held()).map((row) => row.slice(0, 10)));
    expect(days.size, JSON.stringify(runs)).toBe(1);
  }
});

it("rejects the same moment written as another day, because an order has its store's day", async () => {
  const inUtc = amended(1, "2015-01-02T02:15:00Z");
  await takeOneByOne([first], [inUtc]);
  expect(await held()).toEqual(["2015-01-01 0"]);
  expect(await reasons()).toEqual(["ordered_at_changed"]);
});

it("accepts a later revision with the right day afterwards", async () => {
  await takeOneByOne([first], [moved], [amended(2)]);
  expect(await held()).toEqual(["2015-01-01 2"]);
});

it("accepts revisions with the right day in any order", async () => {
  await takeOneByOne([amended(2)], [first], [amended(1)]);
  expect(await held()).toEqual(["2015-01-01 2"]);
  expect(await reasons()).toEqual([]);
});

it("reads no other day for a new order, an order amended in the same run, or a change of a known order", async () => {
  await takeOneByOne([order({ order_id: "b", ordered_at: "2015-01-02T12:00:00-06:00" })]);
  await pipeline.land(record(next++, [first, amended(1), order({ order_id: "aa", ordered_at: first.ordered_at })]));
  expect(await pipeline.refine()).toMatchObject({ accepted: 2, filesRead: 0 });
  await pipeline.land(record(next++, [amended(2)]));
  expect(await pipeline.refine()).toMatchObject({ accepted: 1, filesRead: 1 });
});
