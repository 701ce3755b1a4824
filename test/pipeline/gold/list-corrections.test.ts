import { beforeEach, expect, it } from "vitest";
import { correctionsText } from "../../../bin/commands/corrections.ts";
import { readProjectFile } from "../../../adapters/project-files.ts";
import { listCorrections, type Corrections } from "../../../pipeline/gold/list-corrections.ts";
import { VersionNotKept } from "../../../pipeline/delta/table.ts";
import { event } from "../quality/messy-day.ts";
import type { ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";
import { openForEachTest } from "../reconciliation/receipt-hooks.ts";
import type { GoldPipeline } from "./gold-fixture.ts";

const day = "2015-01-01";
const long = new Date(0).toISOString();
const two = { lines: [{ line_no: 1, pizza_id: "hawaiian_m", quantity: 2, unit_price: 13.25 }] };

let gold: GoldPipeline;
let pipeline: ReceiptPipeline;
openForEachTest((opened) => ({ gold, pipeline } = opened));
beforeEach(async () => {
  // The later order moves the watermark past the first day.
  await pipeline.land(
    await pipeline.send([
      event(1, "a"),
      event(2, "b"),
      event(3, "c"),
      event(4, "new", { ordered_at: "2015-01-05T12:00:00Z" }),
    ]),
  );
  await pipeline.work();
});

async function sendLater(...events: object[]) {
  await pipeline.land(await pipeline.send(events));
  await pipeline.work();
}
const list = (since = long) => listCorrections(pipeline.parts, { since });
const cell = ({ values }: Corrections, column: string, table = "gold.daily_sales_summary") =>
  values.find(({ table_name, column_name }) => table_name === table && column_name === column);

it("the list of corrections is empty while no day is reported", async () => {
  expect(await list()).toEqual({ since: long, values: [], orders: [], daysWithoutOrders: [] });
  expect(correctionsText(await list(), { table: undefined, isAll: false })).toBe("no published value has changed");
});

it("the list of corrections has each value as first reported and as known now, and the orders behind the difference", async () => {
  await sendLater(event(5, "late", two));
  await sendLater(
    event(6, "a", { revision: 1, status: "refunded" }),
    event(7, "b", { revision: 1, status: "amended", ...two }),
  );
  const found = await list();
  expect(cell(found, "revenue")).toMatchObject({
    key: { order_date: day },
    first_reported: "39.75",
    now_known: "66.25",
    change: "26.50",
    corrections: 1,
    last_cause: expect.stringContaining(`published again at silver version 1: ${day}`),
  });
  // January is not over.
  expect(cell(found, "revenue", "gold.monthly_sales_summary")).toBeUndefined();
  const shown = found.orders.map(({ order_id, why, reported_revision, revision, reported_cents, cents }) => {
    return [order_id, why, reported_revision, revision, reported_cents, cents];
  });
  expect(shown).toEqual([
    ["a", "refunded", 0, 1, 1325, 0],
    ["b", "amended", 0, 1, 1325, 2650],
    ["late", "late", null, 0, 0, 2650],
  ]);
  expect(found.orders.reduce((sum, { cents, reported_cents }) => sum + cents - reported_cents, 0)).toBe(2650);
  expect(correctionsText(found, { table: undefined, isAll: false })).toMatch(
    /2015-01-01 +nyc-01 +late +late .* 0\.00 +26\.50/,
  );
});

it("an order is corrected if it was rejected and resent as the next revision", async () => {
  await sendLater(event(5, "a", two));
  expect((await list()).orders).toEqual([]);
  await sendLater(event(6, "a", { ...two, revision: 1 }));
  expect((await list()).orders).toMatchObject([{ order_id: "a", why: "corrected", reported_cents: 1325, cents: 2650 }]);
});

it("every order of a day is late if the day had none when it was reported", async () => {
  await sendLater(event(5, "d", { ordered_at: "2015-01-03T12:00:00Z" }));
  const found = await list();
  expect(
    found.values.find(({ key, column_name }) => key["order_date"] === "2015-01-03" && column_name === "revenue"),
  ).toMatchObject({
    first_reported: null,
    now_known: "13.25",
    change: null,
  });
  expect(found.orders).toMatchObject([{ order_date: "2015-01-03", order_id: "d", why: "late", reported_cents: 0 }]);
});

it("the list of corrections omits what was corrected before the given time", async () => {
  await sendLater(event(5, "late", two));
  const [row] = await gold.owner.query<{ now: string }>("select (now() + interval '1 second')::text as now");
  expect(await list(row!.now)).toMatchObject({ values: [], orders: [] });
});

it("the list of corrections includes a manual change, without any order behind it", async () => {
  await gold.owner.query("update gold.daily_sales_summary set revenue = revenue + 1 where order_date = $1", [day]);
  const found = await list();
  expect(cell(found, "revenue")).toMatchObject({ first_reported: "39.75", now_known: "40.75", change: "1.00" });
  expect(found.orders).toEqual([]);
  expect(correctionsText(found, { table: undefined, isAll: true })).toContain(
    "1 values were last edited by hand: manual edit",
  );
});

/** Puts the database into the state of one whose days were reported before the migration that stores their versions. */
async function forgetReportedVersions() {
  await gold.owner.query("alter table ops.windows disable trigger note_reported_version");
  await gold.owner.query("update ops.windows set reported_version = null");
  await gold.owner.query("alter table ops.windows enable trigger note_reported_version");
}
const migrateOldDays = () =>
  gold.owner.query(readProjectFile("sql/migrations/000021_reported_version_of_old_days.sql"));

it("the list of corrections names the days whose reported version was not stored", async () => {
  await sendLater(event(5, "late", two));
  await forgetReportedVersions();
  await migrateOldDays();
  const found = await list();
  expect(found).toMatchObject({ orders: [], daysWithoutOrders: [day] });
  expect(correctionsText(found, { table: undefined, isAll: false })).toContain(`are no longer recorded: ${day}`);
});

it("the orders of days reported before versions were stored are listed if nothing changed in between", async () => {
  await forgetReportedVersions();
  await migrateOldDays();
  await sendLater(event(5, "late", two));
  expect(await list()).toMatchObject({ orders: [{ order_id: "late", why: "late" }], daysWithoutOrders: [] });
});

it("a day whose reported files were removed with a forgotten customer is named, and the other days' orders are listed", async () => {
  const ada = { customer: { customer_id: "c-ada" } };
  const next = { ordered_at: "2015-01-02T12:00:00Z" };
  await sendLater(event(5, "of-ada", ada), event(6, "d", next));
  await sendLater(event(7, "e", { ordered_at: "2015-01-08T12:00:00Z" }));
  await sendLater(event(8, "late", two), event(9, "late-too", next));
  const before = await list();
  expect(before.orders.map(({ order_id }) => order_id)).toEqual(["late", "of-ada", "d", "late-too"]);
  // No reported version contains her order, only a later one.
  await pipeline.forget("c-ada");
  expect((await list()).orders.map(({ order_id }) => order_id)).toEqual(["late", "of-ada", "d", "late-too"]);
  await pipeline.forget("c-000117");
  const after = await list();
  expect(cell(after, "revenue")).toEqual(cell(before, "revenue"));
  expect(after).toMatchObject({ orders: [{ order_id: "d" }, { order_id: "late-too" }], daysWithoutOrders: [day] });
});

it("a day whose reported version is older than the log retention is named", async () => {
  await sendLater(event(5, "late", two));
  const { silver } = pipeline.parts;
  const snapshot: typeof silver.snapshot = async (version) => {
    if (version === 0) throw new VersionNotKept("version 0 is no longer kept");
    return await silver.snapshot(version);
  };
  const found = await listCorrections({ ...pipeline.parts, silver: { ...silver, snapshot } }, { since: long });
  expect(found).toMatchObject({ orders: [], daysWithoutOrders: [day] });
  expect(cell(found, "revenue")).toMatchObject({ first_reported: "39.75", now_known: "66.25" });
});
