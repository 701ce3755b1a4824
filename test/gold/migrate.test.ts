import { afterAll, beforeAll, expect, test } from "vitest";
import { openPostgresWarehouse } from "../../lambdas/adapters/postgres-warehouse.ts";
import { loadMigrations } from "../../lambdas/adapters/project-files.ts";
import { migrate } from "../../lambdas/gold/migrate.ts";
import { openGoldHome, type GoldHome } from "./gold-home.ts";

const migrations = loadMigrations();
const last = {
  name: "999999_last.sql",
  sql: "create table gold.extra (a integer); insert into gold.extra values (1);",
};

let home: GoldHome;
beforeAll(async () => {
  home = await openGoldHome();
});
afterAll(() => home.close());

test("a second migration does no harm", async () => {
  expect(await migrate({ warehouse: home.owner, migrations })).toEqual([]);
});

test("an edited migration is refused", async () => {
  const edited = migrations.map((file, index) => (index === 1 ? { ...file, sql: `${file.sql} ` } : file));
  await expect(migrate({ warehouse: home.owner, migrations: edited })).rejects.toThrow(
    `migration ${migrations[1]!.name} was changed after it was applied`,
  );
});

test("a migration that is missing, and one that comes too late, are refused", async () => {
  await expect(migrate({ warehouse: home.owner, migrations: migrations.slice(1) })).rejects.toThrow(
    /not among the files/,
  );
  const between = { name: "000001_z.sql", sql: "select 1" };
  await expect(migrate({ warehouse: home.owner, migrations: [...migrations, between] })).rejects.toThrow(
    /give it a number after the last/,
  );
});

test("an older program leaves a newer database as it is, also after a later change failed", async () => {
  const before = await home.owner.query("select * from ops.migrations order by name");
  expect(await migrate({ warehouse: home.owner, migrations: migrations.slice(0, -1) })).toEqual([]);
  const broken = { name: "999999_broken.sql", sql: "select 1 / 0" };
  const next = { name: "999998_next.sql", sql: "create table gold.next_one (a integer)" };
  await expect(migrate({ warehouse: home.owner, migrations: [...migrations, next, broken] })).rejects.toThrow(
    "999999_broken.sql failed",
  );
  expect(await migrate({ warehouse: home.owner, migrations })).toEqual([]);
  await home.owner.query("drop table gold.next_one");
  await home.owner.query("delete from ops.migrations where name = $1", [next.name]);
  expect(await home.owner.query("select * from ops.migrations order by name")).toEqual(before);
});

test("a migration that fails half way changes nothing", async () => {
  const broken = { ...last, sql: `${last.sql} select 1 / 0;` };
  await expect(migrate({ warehouse: home.owner, migrations: [...migrations, broken] })).rejects.toThrow(
    /999999_last.sql failed and changed nothing: division by zero/,
  );
  expect(await home.owner.query("select to_regclass('gold.extra') as found")).toEqual([{ found: null }]);
});

test("of two that migrate at once, each change is made once", async () => {
  // Neither may go on before both have seen what is pending.
  const gate = openPostgresWarehouse({ connectionString: home.postgres.connectionString("reader"), max: 1 });
  await gate.query("begin; select pg_advisory_xact_lock(4100)::text");
  const both = [1, 2].map(() => migrate({ warehouse: home.owner, migrations: [...migrations, last] }));
  const waiting = "select count(*)::integer as n from pg_locks where locktype = 'advisory' and not granted";
  await expect.poll(() => home.reader.query(waiting), { timeout: 30_000 }).toEqual([{ n: 2 }]);
  await gate.query("rollback");
  await gate.close();
  expect((await Promise.all(both)).flat()).toEqual([last.name]);
  expect(await home.reader.query("select a from gold.extra")).toEqual([{ a: 1 }]);
  await home.owner.query("drop table gold.extra");
  await home.owner.query("delete from ops.migrations where name = $1", [last.name]);
});

test("the reader reads, and writes nothing", async () => {
  expect(await home.reader.query("select count(*) as n from gold.daily_sales_summary, ops.windows")).toHaveLength(1);
  for (const sql of [
    "insert into gold.size_performance (month) values ('2015-01-01')",
    "delete from ops.windows",
    "select * from facts.day_totals",
    "create table gold.mine (a integer)",
    "create table public.mine (a integer)",
    "create temp table mine (a integer)",
    "select ops.publish_windows('{}')",
    "select ops.report_windows('2015-01-01')",
    "select ops.apply_migration('a', 'b', 'select 1')",
  ]) {
    await expect(home.reader.query(sql)).rejects.toThrow(/permission denied/);
  }
});

test("the writer publishes, and changes nothing by any other way", async () => {
  for (const sql of [
    "update gold.daily_sales_summary set revenue = 0",
    "update ops.windows set silver_version = 0",
    "insert into ops.corrections (table_name) values ('gold.x')",
    "delete from ops.corrections",
    "insert into facts.day_totals (order_date) values ('2015-01-01')",
    "create table gold.mine (a integer)",
    "drop table gold.daily_sales_summary",
    "select ops.refresh_daily_sales_summary('2015-01-01', '2015-01-01', 1)",
  ]) {
    await expect(home.writer.query(sql)).rejects.toThrow(/permission denied|must be owner/);
  }
});

test("every table and column that people see has a comment", async () => {
  const silent = await home.owner.query(
    `select format('%s.%s', attrelid::regclass, attname) as name
     from pg_attribute join pg_class on pg_class.oid = attrelid
     where relnamespace in ('gold'::regnamespace, 'ops'::regnamespace) and relkind in ('r', 'v', 'm')
       and ((attnum > 0 and not attisdropped and col_description(attrelid, attnum) is null)
         or obj_description(attrelid, 'pg_class') is null)`,
  );
  expect(silent).toEqual([]);
});

test("every table of gold has a primary key, its version and its time", async () => {
  const tables = await home.owner.query(
    `select relname as name,
       exists (select from pg_index where indrelid = pg_class.oid and indisprimary) as has_key,
       (select count(*)::int from pg_attribute where attrelid = pg_class.oid
          and attname in ('silver_version', 'published_at') and attnotnull) as columns
     from pg_class where relnamespace = 'gold'::regnamespace and relkind = 'r'`,
  );
  expect(tables).toHaveLength(10);
  expect(tables.filter(({ has_key, columns }) => !has_key || columns !== 2)).toEqual([]);
});
