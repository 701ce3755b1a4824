import { catalogTables, goldTables } from "../../../pipeline/lineage/datasets.ts";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { openPostgresWarehouse } from "../../../adapters/postgres-warehouse.ts";
import { loadMigrations, readProjectFile } from "../../../adapters/project-files.ts";
import { migrate } from "../../../pipeline/gold/migrate.ts";
import type { CheckedReceipt } from "../../../pipeline/reconciliation/verify-receipt.ts";
import { openGoldPipeline, type GoldPipeline } from "./gold-fixture.ts";

const migrations = loadMigrations();
const last = {
  name: "999999_last.sql",
  sql: "create table gold.extra (a integer); insert into gold.extra values (1);",
};

let pipeline: GoldPipeline;
beforeAll(async () => {
  pipeline = await openGoldPipeline();
});
afterAll(() => pipeline.close());

test("a second migration does no harm", async () => {
  expect(await migrate({ warehouse: pipeline.owner, migrations })).toEqual([]);
});

test("an edited migration is rejected", async () => {
  const edited = migrations.map((file, index) => (index === 1 ? { ...file, sql: `${file.sql} ` } : file));
  await expect(migrate({ warehouse: pipeline.owner, migrations: edited })).rejects.toThrow(
    `migration ${migrations[1]!.name} was changed after it was applied`,
  );
});

test("a missing migration, and a new one that sorts before an applied one, are rejected", async () => {
  await expect(migrate({ warehouse: pipeline.owner, migrations: migrations.slice(1) })).rejects.toThrow(
    /its file is missing/,
  );
  const between = { name: "000001_z.sql", sql: "select 1" };
  await expect(migrate({ warehouse: pipeline.owner, migrations: [...migrations, between] })).rejects.toThrow(
    /give it a number after the last/,
  );
});

test("an older release leaves a newer database unchanged, even after a later migration failed", async () => {
  const before = await pipeline.owner.query("select * from ops.migrations order by name");
  expect(await migrate({ warehouse: pipeline.owner, migrations: migrations.slice(0, -1) })).toEqual([]);
  const broken = { name: "999999_broken.sql", sql: "select 1 / 0" };
  const next = { name: "999998_next.sql", sql: "create table gold.next_one (a integer)" };
  await expect(migrate({ warehouse: pipeline.owner, migrations: [...migrations, next, broken] })).rejects.toThrow(
    "999999_broken.sql failed",
  );
  expect(await migrate({ warehouse: pipeline.owner, migrations })).toEqual([]);
  await pipeline.owner.query("drop table gold.next_one");
  await pipeline.owner.query("delete from ops.migrations where name = $1", [next.name]);
  expect(await pipeline.owner.query("select * from ops.migrations order by name")).toEqual(before);
});

test("a migration that fails halfway changes nothing", async () => {
  const broken = { ...last, sql: `${last.sql} select 1 / 0;` };
  await expect(migrate({ warehouse: pipeline.owner, migrations: [...migrations, broken] })).rejects.toThrow(
    /999999_last.sql failed and changed nothing: division by zero/,
  );
  expect(await pipeline.owner.query("select to_regclass('gold.extra') as found")).toEqual([{ found: null }]);
});

test("two concurrent runs apply each migration once", async () => {
  // Neither may continue before both have read what is pending.
  const gate = openPostgresWarehouse({ connectionString: pipeline.postgres.connectionString("owner"), max: 1 });
  await gate.query("begin; lock table ops.migrations in share row exclusive mode");
  const both = [1, 2].map(() => migrate({ warehouse: pipeline.owner, migrations: [...migrations, last] }));
  const waiting = "select count(*)::integer as n from pg_locks where locktype = 'relation' and not granted";
  await expect.poll(() => pipeline.reader.query(waiting)).toEqual([{ n: 2 }]);
  await gate.query("rollback");
  await gate.close();
  expect((await Promise.all(both)).flat()).toEqual([last.name]);
  expect(await pipeline.reader.query("select a from gold.extra")).toEqual([{ a: 1 }]);
  await pipeline.owner.query("drop table gold.extra");
  await pipeline.owner.query("delete from ops.migrations where name = $1", [last.name]);
});

test("the reader reads but cannot write, even if it disables its own read-only setting", async () => {
  const login = pipeline.postgres.connectionString("reader");
  const bold = openPostgresWarehouse({ connectionString: `${login}?options=-cdefault_transaction_read_only%3Doff` });
  expect(await pipeline.reader.query("select count(*) as n from gold.daily_sales_summary, ops.windows")).toHaveLength(
    1,
  );
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
    await expect(pipeline.reader.query(sql), sql).rejects.toThrow(/permission denied|read-only transaction/);
    await expect(bold.query(sql), sql).rejects.toThrow(/permission denied/);
  }
  await bold.close();
});

test("the reader sees the primary key of every gold table, and can refer to none", async () => {
  const keys = await pipeline.reader.query<{ name: string; columns: string }>(
    `select table_name as name, string_agg(column_name, ',' order by ordinal_position) as columns
     from information_schema.table_constraints
     join information_schema.key_column_usage using (constraint_schema, constraint_name, table_schema, table_name)
     where table_schema = 'gold' and constraint_type = 'PRIMARY KEY' group by 1`,
  );
  expect(keys).toContainEqual({ name: "daily_sales_summary", columns: "order_date" });
  expect(keys).toContainEqual({ name: "sales_items", columns: "order_date,store_id,channel,pizza_id" });
  expect(keys.map(({ name }) => name).toSorted()).toEqual([...goldTables, ...catalogTables].toSorted());
  const grantees = await pipeline.owner.query(
    `select distinct grantee from information_schema.table_privileges
     where table_schema in ('gold', 'ops', 'facts', 'definitions', 'bi') and privilege_type = 'REFERENCES'
       and grantee <> 'pizza_owner'`,
  );
  expect(grantees).toEqual([{ grantee: "pizza_reader" }]);
  const login = pipeline.postgres.connectionString("reader");
  const bold = openPostgresWarehouse({ connectionString: `${login}?options=-cdefault_transaction_read_only%3Doff` });
  const key = "order_date date references gold.daily_sales_summary";
  for (const sql of [
    `create table public.mine (${key})`,
    `create table gold.mine (${key})`,
    `create table bi.mine (${key})`,
    `create temp table mine (${key})`,
    `create schema mine create table held (${key})`,
    "alter table gold.hourly_trends add foreign key (order_date) references gold.daily_sales_summary",
  ]) {
    await expect(bold.query(sql), sql).rejects.toThrow(/permission denied|must be owner/);
  }
  await bold.close();
});

test("BI tools can read every column of gold, or the same row in the schema bi", async () => {
  const plain = /^(bigint|boolean|date|integer|smallint|text|timestamp with time zone|numeric\(\d+,\d+\))$/;
  const columns = await pipeline.reader.query<{ schema: string; name: string; column: string; type: string }>(
    `select relnamespace::regnamespace::text as schema, relname as name, attname as column,
       format_type(atttypid, atttypmod) as type
     from pg_attribute join pg_class on pg_class.oid = attrelid
     where relnamespace::regnamespace::text in ('gold', 'ops', 'bi') and relkind in ('r', 'v') and attnum > 0
       and not attisdropped and has_table_privilege(attrelid, 'select')`,
  );
  const views = new Set(columns.filter(({ schema }) => schema === "bi").map(({ name }) => name));
  const strange = columns.filter(({ type }) => !plain.test(type));
  expect(strange.map(({ schema }) => schema)).not.toContain("bi");
  expect(new Set(strange.map(({ name }) => name))).toEqual(views);
  for (const name of views) {
    const of = (schemas: string[]) => columns.filter((one) => one.name === name && schemas.includes(one.schema));
    expect(
      of(["bi"]).map(({ column }) => column),
      name,
    ).toEqual(of(["gold", "ops"]).map(({ column }) => column));
    await pipeline.reader.query(`select * from bi.${name}`);
  }
});

test("the reader cannot create large objects, and its queries time out", async () => {
  const login = pipeline.postgres.connectionString("reader");
  const bold = openPostgresWarehouse({ connectionString: `${login}?options=-cdefault_transaction_read_only%3Doff` });
  for (const sql of [
    "select lo_from_bytea(0, 'abc')",
    "select lo_create(0)",
    "select lo_creat(-1)",
    "select lo_put(1, 0, 'abc')",
    "select lowrite(0, 'abc')",
    "select lo_truncate(0, 1)",
    "select lo_unlink(1)",
    "select lo_import('/etc/passwd')",
    "select lo_export(1, '/tmp/pizza')",
  ]) {
    await expect(pipeline.reader.query(sql), sql).rejects.toThrow(/permission denied|read-only transaction/);
    await expect(bold.query(sql), sql).rejects.toThrow(/permission denied/);
  }
  await bold.close();
  const shown = await pipeline.reader.query(
    "select current_setting('statement_timeout') as timeout, current_setting('transaction_read_only') as read_only",
  );
  expect(shown).toEqual([{ timeout: "5min", read_only: "on" }]);
});

test("an owner who created the roles limits the reader; an owner who may not limit it can still migrate", async () => {
  const { sql } = migrations.find(({ name }) => name === "000030_reader_limits.sql")!;
  const settings =
    "select setconfig from pg_db_role_setting join pg_roles on oid = setrole where rolname = 'pizza_reader'";
  const before = await pipeline.owner.query(settings);
  await pipeline.owner.query(sql);
  expect(await pipeline.owner.query(settings)).toEqual(before);
  const admin = new Client({ ...pipeline.postgres.credentials, ...pipeline.postgres.credentials.roles.admin });
  await admin.connect();
  await admin.query("grant pizza_reader to pizza_owner with admin option; alter role pizza_reader reset all");
  await pipeline.owner.query(sql);
  const [limited] = await pipeline.owner.query<{ setconfig: string[] }>(settings);
  expect(limited!.setconfig).toEqual(["default_transaction_read_only=on", "statement_timeout=5min"]);
  await admin.query(readProjectFile("sql/migrations/000043_reader_resources.sql"));
  expect(await pipeline.owner.query(settings)).toEqual(before);
  await admin.query("revoke pizza_reader from pizza_owner");
  await admin.end();
});

test("the reader sees each receipt as a row", async () => {
  const sales = { orders: 2, lines: 3, pizzas: 4, cents: 5025 };
  const findings = [{ invariant: "sent = landed", sentence: "1 record never landed", examples: ["shardId-0/1"] }];
  const receipt: CheckedReceipt = {
    balanced: false,
    records: { sent: 9, landed: 8, onFailure: 0, waiting: 0, setAside: 0, transportDuplicates: 1, distinct: 7 },
    events: {
      distinct: 6,
      accepted: 2,
      eventDuplicates: 1,
      supersededRevisions: 1,
      quarantined: { bad_utf8: 1, too_deep: 1 },
      closed: 0,
      pending: 0,
    },
    notSales: 0,
    expected: sales,
    silver: sales,
    gold: { ...sales, cents: 5000 },
    unpublishedDays: [],
    producers: 1,
    notes: [],
    findings,
  };
  const run =
    "insert into ops.runs (workflow, started_at, milliseconds, output) values ($1, '2026-01-02', 3, $2::jsonb)";
  await pipeline.writer.query(run, ["data_quality", JSON.stringify({ receipt })]);
  const calm = { ...receipt, balanced: true, events: { ...receipt.events, quarantined: {} }, findings: [] };
  await pipeline.writer.query(run, ["data_quality", JSON.stringify({ receipt: calm })]);
  await pipeline.writer.query(run, ["data_quality", "{}"]);
  await pipeline.writer.query(run, ["bronze_to_silver", "{}"]);
  const select = `select balanced, records_sent, records_distinct, events, events_accepted, event_duplicates,
      superseded_revisions, events_quarantined, events_pending, orders, bronze_cents, silver_cents, gold_cents,
      findings, sentences from ops.receipts order by run_id`;
  const first = {
    balanced: false,
    records_sent: "9",
    records_distinct: "7",
    events: "6",
    events_accepted: "2",
    event_duplicates: "1",
    superseded_revisions: "1",
    events_quarantined: "2",
    events_pending: "0",
    orders: "2",
    bronze_cents: "5025",
    silver_cents: "5025",
    gold_cents: "5000",
    findings: 1,
    sentences: ["1 record never landed"],
  };
  const second = { ...first, balanced: true, events_quarantined: "0", findings: 0, sentences: [] };
  expect(await pipeline.reader.query(select)).toEqual([first, second]);
});

test("the writer publishes, and cannot change anything in any other way", async () => {
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
    await expect(pipeline.writer.query(sql)).rejects.toThrow(/permission denied|must be owner/);
  }
});

test("every table and column has a comment", async () => {
  const silent = await pipeline.owner.query(
    `select format('%s.%s', attrelid::regclass, attname) as name
     from pg_attribute join pg_class on pg_class.oid = attrelid
     where relnamespace::regnamespace::text in ('gold', 'facts', 'ops', 'bi', 'definitions') and relkind in ('r', 'v', 'm')
       and ((attnum > 0 and not attisdropped and col_description(attrelid, attnum) is null)
         or obj_description(attrelid, 'pg_class') is null)`,
  );
  expect(silent).toEqual([]);
});

test("every gold table has a primary key and a publish time, and a silver version if silver makes it", async () => {
  const tables = await pipeline.owner.query<{ name: string; has_key: boolean; columns: number }>(
    `select relname as name,
       exists (select from pg_index where indrelid = pg_class.oid and indisprimary) as has_key,
       (select count(*)::int from pg_attribute where attrelid = pg_class.oid
          and attname in ('silver_version', 'published_at') and attnotnull) as columns
     from pg_class where relnamespace = 'gold'::regnamespace and relkind = 'r'`,
  );
  expect(tables.map(({ name }) => name).toSorted()).toEqual([...goldTables, ...catalogTables].toSorted());
  const columnsOf = (name: string) => (catalogTables.some((table) => table === name) ? 1 : 2);
  expect(tables.filter(({ name, has_key, columns }) => !has_key || columns !== columnsOf(name))).toEqual([]);
});

describe("a reader cannot block", () => {
  const day = { silver_version: 1, windows: ["2015-01-31"] };
  const document = JSON.stringify({ ...day, day_totals: [], day_hours: [], day_items: [], day_stores: [] });

  it.each([
    ["an advisory lock of a day", "select pg_advisory_lock(4101, 5509)"],
    [
      "every advisory lock of the server, which has no room for another lock then",
      "select pg_try_advisory_lock(4101, key) from generate_series(0, 100000) as key",
    ],
    ["the weakest lock of a table", "lock table gold.hourly_trends, ops.windows, ops.cursor in access share mode"],
    ["an open transaction that has read everything", "select count(*) from gold.daily_sales_summary, ops.windows"],
  ])("a publish with %s", async (_, text) => {
    const reader = openPostgresWarehouse({ connectionString: pipeline.postgres.connectionString("reader"), max: 1 });
    // What a reader is not allowed to do holds nobody up.
    await reader.query(`set statement_timeout = 0; begin; ${text}`).catch(() => {});
    // A publish that were held up would end with an error instead of never.
    const login = pipeline.postgres.connectionString("writer");
    const writer = openPostgresWarehouse({ connectionString: `${login}?options=-cstatement_timeout%3D30s` });
    const published = await writer.query("select published + skipped as days from ops.publish_windows($1::jsonb)", [
      document,
    ]);
    expect(published).toEqual([{ days: 1 }]);
    expect(await writer.query("select ops.publish_customer_segments(1)")).toHaveLength(1);
    await reader.query("rollback");
    await Promise.all([reader.close(), writer.close()]);
  });

  it.each([
    "select * from ops.locks",
    "lock table ops.locks in access share mode",
    "select order_date from ops.windows for update",
    "lock table gold.hourly_trends in row share mode",
    "select ops.take_locks('day', array[1])",
    "select pg_advisory_xact_lock(4101, 1)",
    "set temp_file_limit = -1",
  ])("anybody through a forbidden statement: %s", async (text) => {
    const login = pipeline.postgres.connectionString("reader");
    const bold = openPostgresWarehouse({ connectionString: `${login}?options=-cdefault_transaction_read_only%3Doff` });
    await expect(bold.query(`begin; ${text}`)).rejects.toThrow(/permission denied/);
    await bold.close();
  });

  it("the others by taking all connections, which are limited", async () => {
    const [role] = await pipeline.reader.query("select rolconnlimit from pg_roles where rolname = 'pizza_reader'");
    expect(role).toEqual({ rolconnlimit: 20 });
  });
});

test("a publish that waits too long names the session that holds its lock", async () => {
  const holder = openPostgresWarehouse({ connectionString: pipeline.postgres.connectionString("owner"), max: 1 });
  await pipeline.owner.query("alter function ops.take_locks set lock_timeout = '100ms'");
  const [held] = await holder.query<{ pid: number }>("begin; select ops.lock_days('{2015-01-31}'); select pg_backend_pid() as pid"); // prettier-ignore
  const document = JSON.stringify({ silver_version: 1, windows: ["2015-01-31"] });
  await expect(pipeline.writer.query("select ops.publish_windows($1::jsonb)", [document])).rejects.toThrow(
    new RegExp(`process ${held!.pid} of pizza_owner, pizza.*: let it end, or end it with pg_terminate_backend`),
  );
  await holder.query("rollback");
  await holder.close();
  await pipeline.owner.query("alter function ops.take_locks set lock_timeout = '2min'");
});

test("a migration that waits too long names the session that holds its table", async () => {
  const reader = openPostgresWarehouse({ connectionString: pipeline.postgres.connectionString("reader"), max: 1 });
  const [held] = await reader.query<{ pid: number }>("begin; lock table gold.hourly_trends in access share mode; select pg_backend_pid() as pid"); // prettier-ignore
  const impatient: typeof pipeline.owner = {
    ...pipeline.owner,
    query: async (sql, parameters) => {
      if (!sql.includes("ops.apply_migration($1")) return await pipeline.owner.query(sql, parameters);
      throw Object.assign(new Error("canceling statement due to lock timeout"), { code: "55P03" });
    },
  };
  await expect(migrate({ warehouse: impatient, migrations: [...migrations, last] })).rejects.toThrow(
    new RegExp(`process ${held!.pid} of pizza_reader, pizza, holds gold.hourly_trends\\): end its transaction`),
  );
  await reader.query("rollback");
  await reader.close();
});
