import { afterEach, beforeEach, expect, it } from "vitest";
import { readProjectFile } from "../../../adapters/project-files.ts";
import { listQuarantined } from "../../../pipeline/quarantine/list-quarantined.ts";
import { order } from "../../support/order-fixture.ts";
import { noon, openSilverPipeline, record, type SilverPipeline } from "../silver/refine-fixture.ts";

let pipeline: SilverPipeline;
beforeEach(async () => {
  pipeline = await openSilverPipeline();
});
afterEach(() => pipeline.close());

let next = 0;

/** Lands and refines an event, some seconds after noon. */
async function take(changes: object, seconds = next): Promise<void> {
  await pipeline.land(record(next++, order({ order_id: "7", ...changes }), { arrivedAt: noon + seconds * 1000 }));
  await pipeline.refine();
  await pipeline.publish();
}

/** The reason of each quarantined event, and whether it is resolved. */
async function state(): Promise<string[]> {
  const sql = readProjectFile("sql/checks/rejected-events.sql");
  const { silver, quarantine } = pipeline.openRefinery();
  const events = await listQuarantined({ silver, quarantine, lake: pipeline.lake, sql });
  return events.map(({ reason, isClosed }) => `${reason} ${isClosed ? "resolved" : "open"}`);
}

const wrong = { lines: [{ line_no: 1, pizza_id: "secret_m", quantity: 1, unit_price: 13.25 }] };
const other = { producer_id: "till-nyc-01-9", seq: 1 };

it("a rejected event is resolved by a later event of its order", async () => {
  await take(wrong);
  expect(await state()).toEqual(["unknown_pizza open"]);
  await take({ emitted_at: "2015-01-01T16:39:00Z" });
  expect(await state()).toEqual(["unknown_pizza resolved"]);
});

it.each([
  ["in another store", { store_id: "chi-01" }],
  ["on another day", { ordered_at: "2014-12-31T11:38:36-05:00" }],
])("a rejected event is not resolved by an event with its order id %s", async (_, changes) => {
  await take(wrong);
  await take(changes);
  expect(await state()).toEqual(["unknown_pizza open"]);
});

it("a conflict is resolved by a later revision of its till, and not by the event that it lost to", async () => {
  await take({ channel: "delivery", emitted_at: "2015-01-01T16:40:00Z" });
  await take({});
  expect(await state()).toEqual(["conflicting_payload open"]);
  await take({ revision: 1, status: "amended" });
  expect(await state()).toEqual(["conflicting_payload resolved"]);
});

it("an order is not resolved by revisions of another till's order with the same number", async () => {
  await take({ ordered_at: "2015-01-01T12:00:00-05:00", producer: other });
  await take({});
  await take({ revision: 1, status: "amended" });
  expect(await state()).toEqual(["ordered_at_changed open"]);
});

it("an event that does not name its order legibly stays open", async () => {
  await pipeline.land(record(next++, `{"order_id":"7","store_id":"nyc-01","ordered_at":"yesterday"`));
  await pipeline.refine();
  await take({}, 60);
  expect(await state()).toEqual(["not_json open"]);
});
