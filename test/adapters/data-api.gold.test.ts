import { afterAll, beforeAll, expect, test } from "vitest";
import { loadMigrations, readProjectFile } from "../../adapters/project-files.ts";
import { readDayFacts, readFacts, toJson } from "../../pipeline/gold/facts.ts";
import { goldHash } from "../../pipeline/backup/manifest.ts";
import { migrate } from "../../pipeline/gold/migrate.ts";
import { planStaleWindows } from "../../pipeline/gold/plan-windows.ts";
import { publishCustomerDays, publishDays } from "../../pipeline/gold/publish-windows.ts";
import type { LakeTable, Warehouse } from "../../pipeline/ports.ts";
import { readClassicOrders } from "../pipeline/gold/classic-orders.ts";
import { readGold } from "../pipeline/gold/gold-tables.ts";
import { datesOf, openGoldPipeline, sql, type GoldPipeline } from "../pipeline/gold/gold-fixture.ts";
import { writeSilver } from "../pipeline/gold/silver-fixture.ts";
import { openDataApi } from "./data-api-fixture.ts";

let pipeline: GoldPipeline;
let api: Awaited<ReturnType<typeof openDataApi>>;
let silver: LakeTable;
let windows: string[];
beforeAll(async () => {
  pipeline = await openGoldPipeline();
  api = await openDataApi(pipeline.postgres);
  const orders = readClassicOrders().filter(({ at }) => at < "2015-03");
  silver = (await writeSilver(pipeline.dir, 1, orders))();
  windows = datesOf(orders);
});
afterAll(async () => {
  await api.close();
  await pipeline.close();
});

/** Plans two months and publishes them to an empty gold. */
async function publishAll(warehouse: Warehouse) {
  await pipeline.empty();
  const gold = { ...pipeline.gold, warehouse };
  const plan = async () =>
    await planStaleWindows(
      { warehouse },
      { snapshotVersion: 1, partitions: windows, changedSince: async () => new Set(windows) },
    );
  const { batches, customerBatches } = await plan();
  const published = [];
  for (const batch of batches) {
    published.push(await publishDays(gold, { table: silver, windows: batch, silverVersion: 1 }));
  }
  published.push(await publishCustomerDays(gold, { table: silver, windows: customerBatches.flat(), silverVersion: 1 }));
  return { published, after: await plan(), hash: await goldHash(warehouse), cells: await readGold(warehouse) };
}

test("gold has the same cells over the Data API as over the PostgreSQL protocol", async () => {
  const direct = await publishAll(pipeline.gold.warehouse);
  const overApi = await publishAll(api.connect("writer"));
  expect(overApi.hash.hash).toMatch(/^[0-9a-f]{32}$/);
  expect(overApi).toEqual(direct);
  expect(direct.after.batches).toEqual([]);
});

test("the receipt's queries return the same rows over both", async () => {
  const [day] = windows;
  const facts = await readDayFacts(pipeline.lake, { sql, table: silver, windows });
  facts.day_items.find(({ order_date }) => order_date === day)!["pizzas"] = 999n;
  const document = toJson({ windows, ...facts });
  const ask = async (warehouse: Warehouse) => ({
    days: await warehouse.query(readProjectFile("sql/checks/gold-days.sql")),
    sums: await warehouse.query(readProjectFile("sql/checks/gold-sums.sql")),
    facts: await warehouse.query(readProjectFile("sql/checks/gold-facts.sql"), [document]),
  });
  const direct = await ask(pipeline.reader);
  expect(direct.facts).toHaveLength(1);
  expect(direct.days).toHaveLength(windows.length);
  expect(await ask(api.connect("reader"))).toEqual(direct);
});

test("a publish whose document is staged in parts has the same effect", async () => {
  const [day] = windows;
  const filler = Array.from({ length: 40_000 }, (_, n) => ({
    order_date: "1999-01-01",
    customer_key: `c-${n}`,
    state: "NY",
    city: "x".repeat(60),
  }));
  const facts = await readFacts(pipeline.lake, { sql: sql.customerDays, table: silver, windows: [day!] });
  const document = toJson({ silver_version: 2, windows: [day], customer_days: [...facts, ...filler] });
  const publish = "select published, skipped, rows_changed, corrections from ops.publish_customers($1::jsonb)";
  await pipeline.owner.query("update ops.windows set silver_version = 2 where order_date = $1", [day]);
  expect(await api.connect("writer").query(publish, [document])).toMatchObject([{ published: 1, skipped: 0 }]);
  expect(api.server.statements.at(-1)!.sql).toContain("ops.take_parameter");
});

test("a publish that lost its response is retried without any effect on gold", async () => {
  const writer = api.connect("writer");
  const before = await goldHash(writer);
  api.server.fail("answer lost");
  const day = windows[1]!;
  await publishDays({ ...pipeline.gold, warehouse: writer }, { table: silver, windows: [day], silverVersion: 3 });
  expect(await goldHash(writer)).toEqual(before);
});

test("migrations run over the Data API, once", async () => {
  const owner = api.connect("owner");
  expect(await migrate({ warehouse: owner, migrations: loadMigrations() })).toEqual([]);
});
