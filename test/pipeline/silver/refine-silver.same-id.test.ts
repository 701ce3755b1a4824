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

const first = order({ order_id: "7", ordered_at: "2015-01-01T20:15:00-05:00", emitted_at: "2015-01-02T01:15:01Z" });
const change = (changes: object) => ({ ...first, ...changes });
const amended = (revision: number, changes: object = {}) => change({ revision, status: "amended", ...changes });
const chicago = change({ store_id: "chi-01" });
const tomorrow = change({ ordered_at: "2015-01-02T01:15:00-05:00" });
const otherTill = change({
  ordered_at: "2015-01-01T21:00:00-05:00",
  producer: { producer_id: "till-nyc-01-4", seq: 9 },
});

/** Lands each list as one record and refines it in a separate run of a newly started process. */
async function takeOneByOne(...events: object[][]): Promise<void> {
  for (const list of events) {
    await pipeline.land(record(next++, list));
    await refineSilver(pipeline.openRefinery());
  }
  await pipeline.publish();
}

const held = async () =>
  (await pipeline.rows("order_date, store_id, order_hour, revision"))
    .map((row) => `${row["order_date"]} ${row["store_id"]} ${row["order_hour"]}h ${row["revision"]}`)
    .toSorted();
const quarantined = async () =>
  (await pipeline.quarantined("reason, payload")).map(({ reason, payload }) => {
    const { revision, ordered_at } = JSON.parse(String(payload)) as typeof first;
    return `${reason} ${revision} ${ordered_at}`;
  });

/** All ways to take some events: each alone in every order, and all at once. */
function* waysToTake(events: readonly object[]): Generator<object[][]> {
  for (const ordered of permutations(events)) {
    yield ordered.map((event) => [event]);
    yield [ordered];
  }
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

/** The distinct outcomes of all ways to take these events. */
async function outcomes(events: readonly object[]): Promise<unknown[]> {
  const found = new Map<string, unknown>();
  for (const runs of waysToTake(events)) {
    pipeline.close();
    pipeline = await openSilverPipeline();
    await takeOneByOne(...runs);
    const outcome = { orders: await held(), rejected: await quarantined() };
    found.set(JSON.stringify(outcome), outcome);
  }
  return [...found.values()];
}

it("keeps one order per store and business date, whatever the order of arrival and the split into runs", async () => {
  const all = [first, amended(1), chicago, tomorrow];
  const orders = ["2015-01-01 chi-01 19h 0", "2015-01-01 nyc-01 20h 1", "2015-01-02 nyc-01 1h 0"];
  expect(await outcomes(all)).toEqual([{ orders, rejected: [] }]);
});

it("finds the order of a revision by store, business date and order id", async () => {
  await takeOneByOne([first, chicago, tomorrow], [amended(1), { ...chicago, revision: 2, status: "cancelled" }]);
  expect(await held()).toEqual(["2015-01-01 chi-01 19h 2", "2015-01-01 nyc-01 20h 1", "2015-01-02 nyc-01 1h 0"]);
});

it("leaves another store's order with the same id and day as it was", async () => {
  await takeOneByOne([first, chicago], [amended(1)]);
  expect(await held()).toEqual(["2015-01-01 chi-01 19h 0", "2015-01-01 nyc-01 20h 1"]);
  await takeOneByOne([{ ...chicago, revision: 1, status: "amended" }]);
  expect(await held()).toEqual(["2015-01-01 chi-01 19h 1", "2015-01-01 nyc-01 20h 1"]);
});

it("accepts a revision that writes its order's time with another UTC offset", async () => {
  const sameMoment = amended(1, { ordered_at: "2015-01-02T01:15:00Z" });
  expect(await outcomes([first, sameMoment])).toEqual([{ orders: ["2015-01-01 nyc-01 20h 1"], rejected: [] }]);
});

it("keeps the earlier of two orders with the same number from two tills of a store", async () => {
  const rejected = ["ordered_at_changed 0 2015-01-01T21:00:00-05:00"];
  expect(await outcomes([first, otherTill])).toEqual([{ orders: ["2015-01-01 nyc-01 20h 0"], rejected }]);
});

it("of two payloads of one revision, keeps the one that was sent first", async () => {
  const later = change({ channel: "delivery", emitted_at: "2015-01-02T01:15:02Z" });
  const rejected = [`conflicting_payload 0 ${first.ordered_at}`];
  expect(await outcomes([first, later])).toEqual([{ orders: ["2015-01-01 nyc-01 20h 0"], rejected }]);
  expect(await pipeline.rows("channel")).toEqual([{ channel: first.channel }]);
});

it("changes nothing when records are redelivered, including those of superseded events", async () => {
  const records = [record(1, [otherTill, { ...otherTill, revision: 1, status: "amended" }]), record(2, [first])];
  for (const each of records) {
    await pipeline.land(each);
    await pipeline.refine();
  }
  await pipeline.publish();
  const before = [await held(), await quarantined()];
  expect(before).toEqual([["2015-01-01 nyc-01 20h 0"], ["ordered_at_changed 1 2015-01-01T21:00:00-05:00"]]);
  pipeline.now += 60_000;
  await pipeline.land(...records);
  expect(await pipeline.refine()).toMatchObject({ accepted: 0, quarantined: 0, redeliveredEvents: 3 });
  await pipeline.publish();
  expect([await held(), await quarantined()]).toEqual(before);
});

it("accepts an event even if bronze has lost the one that it supersedes, and reports it", async () => {
  const key = await pipeline.land(record(1, [otherTill]));
  await pipeline.refine();
  await pipeline.store.delete(key);
  await takeOneByOne([first]);
  expect(await held()).toEqual(["2015-01-01 nyc-01 20h 0"]);
  const [row] = await pipeline.quarantined("detail, payload, bronze_key");
  expect(row).toMatchObject({ detail: expect.stringContaining("bronze no longer has its record"), payload: "" });
});

it("reads only files of the order's day, and none for a new order", async () => {
  await takeOneByOne([order({ order_id: "b", ordered_at: "2015-01-02T12:00:00-06:00" })]);
  await pipeline.land(record(next++, [first, amended(1), order({ order_id: "aa", ordered_at: first.ordered_at })]));
  expect(await pipeline.refine()).toMatchObject({ accepted: 2, filesRead: 0 });
  await pipeline.land(record(next++, [amended(2), { ...tomorrow, revision: 3 }]));
  expect(await pipeline.refine()).toMatchObject({ accepted: 2, filesRead: 1 });
});
