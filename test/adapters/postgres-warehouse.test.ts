import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPostgresWarehouse } from "../../adapters/postgres-warehouse.ts";
import { startPostgres, type LocalPostgres } from "../../targets/local/postgres.ts";
import { preparePostgres } from "../support/prepared-postgres.ts";

const dir = mkdtempSync(join(tmpdir(), "pizza-warehouse-"));
let postgres: LocalPostgres;
let warehouse: ReturnType<typeof openPostgresWarehouse>;
beforeAll(async () => {
  await preparePostgres(dir, "database");
  postgres = await startPostgres({ dir });
  warehouse = openPostgresWarehouse({ connectionString: postgres.connectionString("owner") });
});
afterAll(async () => {
  await warehouse.close();
  await postgres.stop();
  rmSync(dir, { recursive: true });
});

test("cents and microseconds are kept exactly", async () => {
  expect(
    await warehouse.query(
      `select 12345678901234.10::numeric(16, 2) as money, 9007199254740993::bigint as big, 7 as small,
         date '2015-03-01' as day, timestamptz '2015-03-01 12:00:00.000123+02' as at, '{"a": [1]}'::jsonb as document,
         null as nothing, true as yes`,
    ),
  ).toEqual([
    {
      money: "12345678901234.10",
      big: "9007199254740993",
      small: 7,
      day: "2015-03-01",
      at: "2015-03-01T10:00:00.000123Z",
      document: { a: [1] },
      nothing: null,
      yes: true,
    },
  ]);
});

test("parameters are bound and never become SQL", async () => {
  expect(await warehouse.query("select $1::text as text", ["'; drop schema gold --"])).toEqual([
    { text: "'; drop schema gold --" },
  ]);
});

test("one call is one transaction, so a failed call leaves nothing", async () => {
  const sql = "create table public_probe (a integer); select 1 / 0";
  await expect(warehouse.query(`set search_path = pg_temp; ${sql}`)).rejects.toThrow("division by zero");
  expect(await warehouse.query("select to_regclass('pg_temp.public_probe') as found")).toEqual([{ found: null }]);
});

test("the error about an unreachable server names its address", async () => {
  const nobody = openPostgresWarehouse({ connectionString: "postgresql://a:secret@127.0.0.1:1/none" });
  await expect(nobody.query("select 1")).rejects.toThrow(/^PostgreSQL at 127\.0\.0\.1:1 does not answer/);
  await expect(nobody.query("select 1")).rejects.not.toThrow(/secret/);
  await nobody.close();
});

test("a broken connection is replaced at the next query", async () => {
  await expect(warehouse.query("select pg_terminate_backend(pg_backend_pid())")).rejects.toThrow(
    /terminating connection/,
  );
  expect(await warehouse.query("select 1 as one")).toEqual([{ one: 1 }]);
});

test("a warehouse opened read-only changes nothing, whatever the role", async () => {
  await warehouse.query("create table kept (n int)");
  const reader = openPostgresWarehouse({ connectionString: postgres.connectionString("owner"), readOnly: true });
  try {
    expect(await reader.query("select count(*)::int as n from kept")).toEqual([{ n: 0 }]);
    await expect(reader.query("insert into kept values (1)")).rejects.toThrow("read-only transaction");
    await expect(reader.query("drop table kept")).rejects.toThrow("read-only transaction");
  } finally {
    await reader.close();
  }
});
