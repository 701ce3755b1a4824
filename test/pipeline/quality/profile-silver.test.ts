import { afterAll, beforeAll, expect, it } from "vitest";
import { profileText } from "../../../bin/commands/quality.ts";
import { openDuckDbLake } from "../../../adapters/duckdb.ts";
import { landRecords } from "../../../pipeline/bronze/land-records.ts";
import { silverColumns } from "../../../pipeline/silver/columns.ts";
import { profileSilver, type SilverProfile } from "../../../pipeline/quality/profile-silver.ts";
import { refineSilver } from "../../../pipeline/silver/refine-silver.ts";
import { order } from "../../support/order-fixture.ts";
import { openSilverPipeline, record } from "../silver/refine-fixture.ts";

const arrivedAt = Date.parse("2015-03-20T12:00:00Z");

let pipeline: Awaited<ReturnType<typeof openSilverPipeline>>;
let lake: Awaited<ReturnType<typeof openDuckDbLake>>;
beforeAll(async () => {
  pipeline = await openSilverPipeline();
  pipeline.now = arrivedAt;
  lake = await openDuckDbLake({ root: pipeline.root, threads: 1 });
});
afterAll(async () => {
  await lake.close();
  pipeline.close();
});

const profile = async () => await profileSilver({ silver: pipeline.openRefinery().silver, lake });

const sell = async (number: number, day: string, changes: object[]) => {
  const events = changes.map((change, n) =>
    order({ order_id: `${day}/${n}`, ordered_at: `${day}T12:00:00-05:00`, ...change }),
  );
  const refinery = pipeline.openRefinery();
  await landRecords(refinery, [record(number, events, { arrivedAt })]);
  await refineSilver(refinery);
};

const columnOf = ({ columns }: SilverProfile, name: string) => columns.find((column) => column.name === name)!;

it("a profile reports that silver has no orders", async () => {
  expect(await profile()).toEqual({ silverVersion: -1, week: null, lines: 0, linesBefore: 0, columns: [] });
  expect(profileText(await profile())).toBe("silver has no orders yet");
});

it("a profile has no drift without a previous week", async () => {
  await sell(1, "2015-03-01", [{}]);
  await sell(2, "2015-03-03", [{}, {}, {}]);
  const found = await profile();
  expect(found).toMatchObject({ week: { from: "2015-02-25", until: "2015-03-03" }, lines: 4, linesBefore: 0 });
  expect(columnOf(found, "channel")).toMatchObject({ drift: null, top: [{ value: "dine_in", lines: 4 }] });
});

it("a profile counts nulls, values and ranges of the newest week, and its drift from the previous week", async () => {
  const online = { channel: "online", customer: undefined };
  await sell(3, "2015-03-10", [
    online,
    online,
    online,
    { lines: [{ line_no: 1, pizza_id: "bbq_ckn_s", quantity: 3, unit_price: 12.75 }] },
  ]);
  const found = await profile();
  expect(found).toMatchObject({ week: { from: "2015-03-04", until: "2015-03-10" }, lines: 4, linesBefore: 4 });
  expect(found.columns.map(({ name }) => name)).toEqual(silverColumns.map(({ name }) => name));
  expect(columnOf(found, "channel")).toEqual({
    name: "channel",
    type: "string",
    nulls: 0,
    nullsBefore: 0,
    distinct: 2,
    distinctBefore: 1,
    least: "dine_in",
    greatest: "online",
    top: [
      { value: "online", lines: 3 },
      { value: "dine_in", lines: 1 },
    ],
    drift: 0.75,
  });
  expect(columnOf(found, "quantity")).toMatchObject({ distinct: 2, least: "1", greatest: "3", drift: 0.25 });
  expect(columnOf(found, "ordered_at")).toMatchObject({ least: "2015-03-10T17:00:00.000Z", top: [], drift: null });
  expect(profileText(found)).toMatch(/channel +0.0% +2 +dine_in +online +75.0% +online 75.0%, dine_in 25.0%/);
});

it("a profile shows no value of a column that identifies customers", async () => {
  const found = columnOf(await profile(), "customer_key");
  expect(found).toMatchObject({ nulls: 3, distinct: 1, least: null, greatest: null, top: [], drift: null });
});
