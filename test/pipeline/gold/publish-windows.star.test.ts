import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPostgresWarehouse } from "../../../adapters/postgres-warehouse.ts";
import { loadMigrations } from "../../../adapters/project-files.ts";
import { readDayFacts, toJson } from "../../../pipeline/gold/facts.ts";
import { migrate } from "../../../pipeline/gold/migrate.ts";
import { planStaleWindows } from "../../../pipeline/gold/plan-windows.ts";
import { callPublish } from "../../../pipeline/gold/publish-windows.ts";
import type { LakeRow, Warehouse } from "../../../pipeline/ports.ts";
import { startPostgres } from "../../../targets/local/postgres.ts";
import { preparePostgres } from "../../support/prepared-postgres.ts";
import { datesOf, openGoldPipeline, sql, type GoldPipeline } from "./gold-fixture.ts";
import { compareGold, goldKeys, readCorrections, readGold } from "./gold-tables.ts";
import { writeSilver, type FixtureOrder } from "./silver-fixture.ts";

const sale = (id: string, at: string, rest: Partial<FixtureOrder> = {}): FixtureOrder => ({
  id,
  at,
  lines: [["hawaiian_m", 2]],
  ...rest,
});
const orders = [
  sale("a", "2015-03-01T12:00:00"),
  sale("b", "2015-03-01T12:30:00", { store: "chi-01" }),
  sale("c", "2015-03-01T13:30:00", { channel: "online", lines: [["bbq_ckn_s", 1]] }),
  sale("d", "2015-03-04T12:00:00"),
  sale("e", "2015-04-02T19:00:00"),
];

let pipeline: GoldPipeline;
beforeAll(async () => {
  pipeline = await openGoldPipeline();
});
afterAll(() => pipeline.close());
beforeEach(() => pipeline.empty());

const rows = (text: string) => pipeline.owner.query(text);

/** Every difference that the receipt would find in the database alone. */
async function offenders(warehouse: Warehouse = pipeline.owner): Promise<unknown[]> {
  return await warehouse.query(
    `select * from ops.gold_offenders() union all select * from ops.window_offenders()
     union all select * from ops.control_offenders() union all select * from ops.gold_shape_offenders()`,
  );
}

async function factsOf(version: number, all: readonly FixtureOrder[]) {
  const windows = datesOf(all);
  const table = (await writeSilver(pipeline.dir, version, all))();
  return { silver_version: version, windows, ...(await readDayFacts(pipeline.lake, { sql, table, windows })) };
}

/** The document that a release before the star publishes for the same days. */
async function earlierDocument(version: number, all: readonly FixtureOrder[]): Promise<string> {
  const { sales_hours: cells, sales_items: _, ...facts } = await factsOf(version, all);
  const hours = Map.groupBy(cells, ({ order_date, hour }) => `${String(order_date)} ${String(hour)}`);
  const sum = (some: LakeRow[], name: string) => some.reduce((total, row) => total + Number(row[name]), 0);
  const dayHours = [...hours.values()].map((some) => ({
    order_date: some[0]!["order_date"]!,
    hour: some[0]!["hour"]!,
    orders: sum(some, "orders"),
    pizzas: sum(some, "pizzas"),
    revenue_cents: sum(some, "revenue_cents"),
  }));
  return toJson({ ...facts, day_hours: dayHours });
}

test("only rows that differ are written, and they are no corrections", async () => {
  await pipeline.publish(1, orders);
  await pipeline.writer.query("select ops.report_windows('2015-05-01')");
  const late = sale("late", "2015-03-01T13:45:00", { channel: "online" });
  await pipeline.publish(2, [...orders, late], ["2015-03-01", "2015-03-04"]);
  const changed = (table: string, key: string) =>
    rows(`select concat_ws(' ', ${key}, pizzas, revenue) as row from gold.${table} where silver_version = 2`);
  expect(await changed("sales_items", "order_date, store_id, channel, pizza_id")).toEqual([
    { row: "2015-03-01 nyc-01 online hawaiian_m 2 26.50" },
  ]);
  expect(await changed("sales_hours", "order_date, hour, store_id, channel, orders, order_lines")).toEqual([
    { row: `2015-03-01 13 nyc-01 online 2 2 3 ${(12.75 + 26.5).toFixed(2)}` },
  ]);
  const corrected = new Set((await readCorrections(pipeline.reader)).map((line) => line.split(" ")[0]));
  expect(corrected).toContain("hourly_trends");
  expect([...corrected].filter((table) => table === "sales_items" || table === "sales_hours")).toEqual([]);
  await pipeline.publish(3, [...orders.slice(1), late], ["2015-03-01"]);
  expect(await rows("select * from gold.sales_items where store_id = 'nyc-01' and channel = 'dine_in' and order_date = '2015-03-01'")).toEqual([]); // prettier-ignore
  expect(await offenders()).toEqual([]);
});

test("texts with quotes, commas and the word null arrive unchanged", async () => {
  const hard = { store_id: `a"b\\c,{d}`, channel: "NULL", pizza_id: "é ü" };
  const cells = { order_date: "2015-03-01", ...hard, order_lines: 1, pizzas: 1, revenue_cents: 1n, cost_cents: 0 };
  const facts = { silver_version: 1, windows: ["2015-03-01"], sales_items: [cells], sales_hours: [] };
  await callPublish(pipeline.writer, "ops.publish_windows", toJson(facts));
  expect(await rows("select store_id, channel, pizza_id, revenue from gold.sales_items")).toEqual([
    { ...hard, revenue: "0.01" },
  ]);
});

describe("a day that an earlier release has published", () => {
  const plan = async () => {
    const changedSince = () => Promise.resolve(new Set<string>());
    const partitions = datesOf(orders);
    return await planStaleWindows({ warehouse: pipeline.writer }, { snapshotVersion: 1, partitions, changedSince });
  };
  const due = async () => (await rows("select order_date from ops.windows where is_due order by 1")).length;

  test("keeps its reports, balances, and is due until this release publishes it", async () => {
    await pipeline.publish(1, orders);
    const whole = await readGold(pipeline.reader);
    expect(await due()).toBe(0);
    await pipeline.empty();
    await callPublish(pipeline.writer, "ops.publish_windows", await earlierDocument(1, orders));
    await pipeline.writer.query("select ops.advance_cursor(1)::text");
    await pipeline.writer.query("select ops.report_windows('2015-05-01')");
    expect(compareGold(whole, await readGold(pipeline.reader))).toEqual([]);
    expect(await rows("select * from gold.sales_items")).toEqual([]);
    expect(await offenders()).toEqual([]);
    expect(await due()).toBe(3);
    expect((await plan()).batches).toEqual([["2015-03-01", "2015-03-04"], ["2015-04-02"]]);

    // One month at a time: what the other has not published yet stays as it is.
    await pipeline.publish(1, orders, ["2015-03-01", "2015-03-04"]);
    expect(await offenders()).toEqual([]);
    expect((await plan()).batches).toEqual([["2015-04-02"]]);
    await pipeline.publish(1, orders, ["2015-04-02"]);
    expect(await plan()).toMatchObject({ batches: [] });
    expect(compareGold(whole, await readGold(pipeline.reader))).toEqual([]);
    expect(await readCorrections(pipeline.reader)).toEqual([]);
    expect(await rows("select * from facts.day_hours")).toEqual([]);
    expect(await rows("select sum(orders) as orders from gold.sales_hours")).toEqual([{ orders: "5" }]);
    expect(await offenders()).toEqual([]);
    // A second publish at the version that gold shows changes nothing.
    const { windows } = await pipeline.publish(1, orders);
    expect(windows).toMatchObject({ published: 0, rowsChanged: 0 });
  });

  test("loses its star if the release before publishes it again after a rollback, and gets it back", async () => {
    await pipeline.publish(1, orders);
    await callPublish(pipeline.writer, "ops.publish_windows", await earlierDocument(2, orders.slice(1)));
    expect(await rows("select * from gold.sales_hours")).toEqual([]);
    expect(await rows("select sum(orders) as orders from gold.hourly_trends")).toEqual([{ orders: "4" }]);
    expect(await offenders()).toEqual([]);
    await pipeline.publish(2, orders.slice(1));
    expect(await rows("select sum(orders) as orders from gold.sales_hours")).toEqual([{ orders: "4" }]);
    expect(await offenders()).toEqual([]);
  });
});

test("a database of the release before is migrated with the same reports, and balances before and after its days are due", async () => {
  const dir = mkdtempSync(join(tmpdir(), "pizza-before-star-"));
  await preparePostgres(join(dir, "postgres"), "database");
  const postgres = await startPostgres({ dir: join(dir, "postgres") });
  const connect = (role: "owner" | "writer") =>
    openPostgresWarehouse({ connectionString: postgres.connectionString(role) });
  const [owner, writer] = [connect("owner"), connect("writer")];
  try {
    const migrations = loadMigrations();
    const before = migrations.filter(({ name }) => name < "000046");
    await migrate({ warehouse: owner, migrations: before });
    await callPublish(writer, "ops.publish_windows", await earlierDocument(1, orders));
    await writer.query("select ops.report_windows('2015-05-01')");
    const tables = (await owner.query("select tablename as name from pg_tables where schemaname = 'gold'")).map(
      ({ name }) => String(name),
    );
    const shown = await readGold(owner, tables);
    expect(shown.size).toBeGreaterThan(50);

    expect(await migrate({ warehouse: owner, migrations })).toEqual(
      migrations.slice(before.length).map(({ name }) => name),
    );
    expect(compareGold(shown, await readGold(owner, tables))).toEqual([]);
    expect(await offenders(owner)).toEqual([]);
    expect(await owner.query("select order_date from ops.windows where is_due")).toHaveLength(3);
    expect(await owner.query("select count(*)::integer as days from gold.dates where has_sales")).toEqual([
      { days: 3 },
    ]);

    const { published, corrections } = await callPublish(
      writer,
      "ops.publish_windows",
      toJson(await factsOf(1, orders)),
    );
    expect([published, corrections]).toEqual([3, 0]);
    expect(compareGold(shown, await readGold(owner, tables))).toEqual([]);
    expect(await owner.query("select order_date from ops.windows where is_due")).toEqual([]);
    expect(await owner.query("select sum(orders)::integer as orders from gold.sales_hours")).toEqual([{ orders: 5 }]);
    expect(await offenders(owner)).toEqual([]);
  } finally {
    await Promise.all([owner.close(), writer.close()]);
    await postgres.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});

describe("the calendar", () => {
  const dates = async (condition: string) =>
    (await rows(`select date::text as date from gold.dates where ${condition} order by 1`)).map(({ date }) => date);

  test("has the years with sales, closed between the first and the last one, whichever comes first", async () => {
    const ends = [sale("last", "2016-01-02T12:00:00"), sale("first", "2015-12-29T12:00:00")];
    for (const [index, order] of ends.entries()) await pipeline.publish(index + 1, [order]);
    expect(await dates("is_closed")).toEqual(["2015-12-30", "2015-12-31", "2016-01-01"]);
    expect(await dates("has_sales")).toEqual(["2015-12-29", "2016-01-02"]);
    expect(await dates("true")).toHaveLength(365 + 366);
    // The last sale is cancelled: its year goes, and nothing is closed any more.
    await pipeline.publish(3, [], ["2016-01-02"]);
    expect(await dates("is_closed")).toEqual([]);
    expect(await dates("true")).toHaveLength(365);
    expect(await offenders()).toEqual([]);
  });

  test("is written only if a day gains its first sale or loses its last one", async () => {
    await pipeline.publish(1, orders);
    await pipeline.publish(2, [...orders, sale("f", "2015-04-02T20:00:00")]);
    expect(await dates("silver_version = 2")).toEqual([]);
    await pipeline.publish(3, [...orders, sale("g", "2015-04-04T20:00:00")]);
    expect(await dates("silver_version = 3")).toEqual(["2015-04-03", "2015-04-04"]);
  });

  test("is whole after publishes of distant days at the same time", async () => {
    const ends = [sale("first", "2014-12-30T12:00:00"), sale("last", "2016-02-01T12:00:00")];
    const documents = await Promise.all(ends.map(async (order, index) => toJson(await factsOf(index + 1, [order]))));
    for (let race = 0; race < 20; race++) {
      await pipeline.empty();
      const order = race % 2 ? documents : documents.toReversed();
      await Promise.all(order.map((document) => callPublish(pipeline.writer, "ops.publish_windows", document)));
      expect(await dates("is_closed"), `race ${race}`).toHaveLength(1 + 31);
    }
  });

  test.each([
    ["2020", ["01-01", "01-20", "02-17", "05-25", "07-04", "09-07", "10-12", "11-11", "11-26", "12-25"]],
    ["2021", ["01-01", "01-18", "02-15", "05-31", "06-19", "07-04", "09-06", "10-11", "11-11", "11-25", "12-25"]],
    ["2027", ["01-01", "01-18", "02-15", "05-31", "06-19", "07-04", "09-06", "10-11", "11-11", "11-25", "12-25"]],
  ])("has the federal holidays of %s", async (year, days) => {
    const found = await rows(`select date::text as date from facts.us_federal_holidays(${year}) order by 1`);
    expect(found.map(({ date }) => date)).toEqual(days.map((day) => `${year}-${day}`));
  });
});

test("a fact and a table are added by their registration alone, and are published, checked and backed up", async () => {
  await pipeline.publish(1, orders);
  const owner = openPostgresWarehouse({ connectionString: pipeline.postgres.connectionString("owner"), max: 1 });
  try {
    await owner.query(
      `begin;
       create table facts.day_visits (order_date date primary key, visits integer not null);
       select ops.define_fact('facts.day_visits',
         'select * from jsonb_populate_recordset(null::facts.day_visits, document -> ''day_visits'')');
       create table gold.visits (
         month date primary key, visits integer not null,
         silver_version bigint not null, published_at timestamptz not null
       );
       select ops.define_gold_table('gold.visits', 'months',
         'select facts.month_of(order_date) as month, sum(visits)::integer as visits from facts.day_visits
          where order_date between first_day and last_day group by 1')`,
    );
    expect(await owner.query("select order_date from ops.windows where is_due")).toHaveLength(3);
    expect(await offenders(owner)).toEqual([]);
    const facts = await factsOf(1, orders);
    const visits = facts.windows.map((order_date) => ({ order_date, visits: 7 }));
    const publish = (document: object) => callPublish(owner, "ops.publish_windows", toJson({ ...document }));
    expect(await publish({ ...facts, day_visits: visits })).toMatchObject({ published: 3, corrections: 0 });
    expect(await owner.query("select order_date from ops.windows where is_due")).toEqual([]);
    expect(await owner.query("select month, visits from gold.visits order by 1")).toEqual([
      { month: "2015-03-01", visits: 14 },
      { month: "2015-04-01", visits: 7 },
    ]);
    const tables = (await owner.query("select table_name from ops.backup_tables()")).map(
      ({ table_name }) => table_name,
    );
    expect(tables).toEqual(expect.arrayContaining(["facts.day_visits", "gold.visits"]));

    // The first publish of a new fact is not a correction, even of a reported day; a late order is one.
    await owner.query(
      "savepoint before_reports; select ops.report_windows('2015-05-01'); update ops.windows set is_due = true;" +
        "delete from facts.day_visits; delete from gold.visits;" +
        `insert into facts.day_hours select order_date, hour, sum(orders), sum(pizzas), sum(revenue) * 100
         from gold.sales_hours group by 1, 2; delete from gold.sales_hours`,
    );
    const late = await factsOf(2, [...orders, sale("late", "2015-03-01T13:45:00")]);
    await publish({ ...late, day_visits: visits });
    const corrected = "select distinct table_name from ops.corrections where publish_id is not null";
    const names = (await owner.query(corrected)).map(({ table_name }) => String(table_name));
    expect(names.toSorted()).toEqual(
      Object.keys(goldKeys)
        .filter((name) => name !== "customer_segments")
        .map((name) => `gold.${name}`)
        .toSorted(),
    );
    expect(
      await owner.query("select * from ops.gold_offenders() union all select * from ops.control_offenders()"),
    ).toEqual([]);
    await owner.query("rollback to before_reports");

    // A backup that was made before has neither: the table is filled, and the days are due.
    const older = tables.filter((name) => name !== "gold.visits" && name !== "facts.day_visits");
    await owner.query("delete from gold.visits; delete from gold.size_performance");
    await owner.query("select ops.adopt_backup($1::text[])", [[...older, "facts.day_visits"]]);
    expect(await owner.query("select count(*)::integer as months from gold.visits")).toEqual([{ months: 2 }]);
    expect(await owner.query("select * from gold.size_performance")).toEqual([]);
    expect(await owner.query("select order_date from ops.windows where is_due")).toEqual([]);
    await owner.query("select ops.adopt_backup($1::text[])", [older]);
    expect(await owner.query("select order_date from ops.windows where is_due")).toHaveLength(3);

    await owner.query("select ops.report_windows('2015-05-01')");
    await publish({ ...facts, silver_version: 2, day_visits: visits.map((day) => ({ ...day, visits: 8 })) });
    const restated =
      "select first_reported, now_known from gold.restated_values where table_name = 'gold.visits' order by key::text";
    expect(await owner.query(restated)).toEqual([
      { first_reported: "14", now_known: "16" },
      { first_reported: "7", now_known: "8" },
    ]);
    await owner.query(
      "update gold.visits set visits = 1 where month = '2015-04-01'; update facts.day_visits set visits = 9",
    );
    const found = JSON.stringify(await offenders(owner));
    for (const name of ["gold.visits", "ops.windows"]) expect(found).toContain(name);
    const differences = await owner.query("select * from ops.fact_offenders($1::jsonb)", [
      toJson({ windows: facts.windows, day_visits: visits }),
    ]);
    expect(differences).toHaveLength(3);
  } finally {
    await owner.query("rollback");
    await owner.close();
  }
});
