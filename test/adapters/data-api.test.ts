import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { loadMigrations } from "../../adapters/project-files.ts";
import { migrate } from "../../pipeline/gold/migrate.ts";
import type { Warehouse } from "../../pipeline/ports.ts";
import { startPostgres, type LocalPostgres } from "../../targets/local/postgres.ts";
import { openDataApi } from "./data-api-fixture.ts";
import { preparePostgres } from "../support/prepared-postgres.ts";

const dir = mkdtempSync(join(tmpdir(), "pizza-data-api-"));
let postgres: LocalPostgres;
let api: Awaited<ReturnType<typeof openDataApi>>;
let owner: Warehouse;
let writer: Warehouse;
beforeAll(async () => {
  await preparePostgres(dir, "database");
  postgres = await startPostgres({ dir });
  api = await openDataApi(postgres, { timeoutMs: 4000 });
  [owner, writer] = [api.connect("owner", { continueAfterTimeout: true }), api.connect("writer")];
  await migrate({ warehouse: owner, migrations: loadMigrations() });
});
afterAll(async () => {
  await api.close();
  await postgres.stop();
  rmSync(dir, { recursive: true });
});
beforeEach(() => void (api.server.statements.length = 0));

const staged = async () => await owner.query("select parameter_id, part from ops.parameter_parts order by part");

test("a call waits for a paused cluster", async () => {
  api.server.fail("DatabaseResumingException", 2);
  expect(await writer.query("select 1 as one")).toEqual([{ one: 1 }]);
  expect(api.server.statements).toHaveLength(3);
});

test("a throttled call is retried", async () => {
  api.server.fail("ThrottlingException", 2);
  expect(await writer.query("select 1 as one")).toEqual([{ one: 1 }]);
});

test("a call that lost its response is retried", async () => {
  await owner.query("create table public.calls (made integer)");
  api.server.fail("answer lost");
  expect(await owner.query("insert into public.calls values (1) returning made")).toEqual([{ made: 1 }]);
  expect(await owner.query("select count(*)::integer as n from public.calls")).toEqual([{ n: 2 }]);
});

test("a parameter that exceeds one request is staged in parts, which the statement joins", async () => {
  const document = JSON.stringify({
    rows: Array.from({ length: 110_000 }, (_, n) => ({ n, city: `Zoë's "🍕" ${n}` })),
  });
  const sql = "select md5($1::text) as hash, $2::text as other from generate_series(1, 2)";
  const rows = await writer.query(sql, [document, "short"]);
  const row = { hash: md5(document), other: "short" };
  expect(rows).toEqual([row, row]);
  expect(api.server.statements.filter(({ sql: text }) => text.includes("stage_parameter")).length).toBeGreaterThan(1);
  expect(Math.max(...api.server.statements.map(({ bytes }) => bytes))).toBeLessThan(4 * 2 ** 20);
  expect(await staged()).toEqual([]);
});

test("a failed statement leaves its staged parameter for the retry", async () => {
  await writer.query("select ops.stage_parameter('p', 0, 'a') as a");
  await writer.query("select ops.stage_parameter('p', 1, 'b') as b");
  await writer.query("select ops.stage_parameter('p', 0, 'a') as again");
  await expect(writer.query("select 1 / length(ops.take_parameter('p')) / 0 as x")).rejects.toThrow("division by zero");
  expect(await writer.query("select ops.take_parameter('p') as text")).toEqual([{ text: "ab" }]);
  await expect(writer.query("select ops.take_parameter('p') as text")).rejects.toThrow("parameter p is not staged");
});

test("the parts of a parameter are joined in order, whatever their order of arrival", async () => {
  for (const [number, part] of [
    [2, "c"],
    [0, "a"],
    [1, "b"],
    [2, "c"],
  ] as const) {
    await writer.query("select ops.stage_parameter('order', $1::integer, $2) as part", [number, part]);
  }
  expect(await writer.query("select ops.take_parameter('order') as text")).toEqual([{ text: "abc" }]);
});

test("unused parts are deleted after an hour, and a parameter without its first part is not staged", async () => {
  await writer.query("select ops.stage_parameter('old', 0, 'a') as a");
  await writer.query("select ops.stage_parameter('old', 1, 'b') as b");
  await owner.query("update ops.parameter_parts set staged_at = now() - interval '61 minutes' where part = 0");
  await writer.query("select ops.stage_parameter('new', 0, 'c') as c");
  await expect(writer.query("select ops.take_parameter('old') as text")).rejects.toThrow("parameter old is not staged");
  expect(await writer.query("select ops.take_parameter('new') as text")).toEqual([{ text: "c" }]);
  await owner.query("delete from ops.parameter_parts");
});

test("only the writer can stage parts, and only the owner can read them", async () => {
  const reader = api.connect("reader");
  await expect(reader.query("select ops.stage_parameter('r', 0, 'a') as a")).rejects.toThrow(/permission denied/);
  await expect(reader.query("select ops.take_parameter('r') as a")).rejects.toThrow(/permission denied/);
  for (const warehouse of [reader, writer]) {
    await expect(warehouse.query("select body from ops.parameter_parts")).rejects.toThrow(/permission denied/);
  }
});

test("an error about a result or row that is too large says what to do", async () => {
  const says = /^Data API: .*a result may have at most 1 MiB and a row 64 kB: query less at once/;
  await expect(writer.query("select repeat('x', 1000) as x from generate_series(1, 1100)")).rejects.toThrow(says);
  await expect(writer.query("select repeat('x', 66000) as x")).rejects.toThrow(says);
});

test("a request that is too large is rejected before it is sent", async () => {
  const texts = Array.from({ length: 5 }, () => "x".repeat(2 ** 20 - 100));
  await expect(writer.query("select $1::text, $2::text, $3::text, $4::text, $5::text", texts)).rejects.toThrow(
    /^Data API: a request of \d+ bytes exceeds the limit of 4 MiB: send fewer parameters at once/,
  );
  expect(api.server.statements).toEqual([]);
});

test("a statement that exceeds the time limit is stopped with a clear error", async () => {
  await expect(writer.query("select true as slept from pg_sleep(15)")).rejects.toThrow(
    "Data API: the statement exceeded the 45 s limit of a call; it was stopped: process less at once",
  );
  expect(await sleeping()).toBe(0);
});

test("a migration that exceeds the time limit continues, and the next run finds it applied", async () => {
  const slow = { name: "999999_slow.sql", sql: "create table public.slow as select 1 as a from pg_sleep(6)" };
  const run = async () => await migrate({ warehouse: owner, migrations: [...loadMigrations(), slow] });
  await expect(run()).rejects.toThrow("it continues in the database: run it again");
  while ((await sleeping()) > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await run()).toEqual([]);
  expect(await owner.query("select a from public.slow")).toEqual([{ a: 1 }]);
  await owner.query("delete from ops.migrations where name = '999999_slow.sql'");
});

test("a PostgreSQL error has its reason but no parameter value", async () => {
  await expect(writer.query("select $1::text as secret from nowhere", ["s3cret"])).rejects.toThrow(
    /^Data API: PostgreSQL rejected the statement: ERROR: relation "nowhere" does not exist; SQLState: 42P01$/,
  );
  await expect(writer.query("select 1; select 2")).rejects.toThrow(/multiple commands/);
});

test("the error about an unsupported type says to cast it", async () => {
  await expect(writer.query("select 'ops.windows'::regclass as name")).rejects.toThrow(/cast the column to text/);
  expect(await writer.query("select 'ops.windows'::regclass::text as name")).toEqual([{ name: "ops.windows" }]);
});

async function sleeping(): Promise<number> {
  const sql =
    "select count(*)::integer as n from pg_stat_activity where query like '%pg_sleep(%' and state = 'active' and pid <> pg_backend_pid()";
  const [row] = await owner.query<{ n: number }>(sql);
  return row!.n;
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
