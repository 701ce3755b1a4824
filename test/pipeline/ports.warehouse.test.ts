import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPostgresWarehouse } from "../../adapters/postgres-warehouse.ts";
import type { TransactionalWarehouse } from "../../pipeline/ports.ts";
import { startPostgres, type LocalPostgres } from "../../targets/local/postgres.ts";
import { openDataApi } from "../adapters/data-api-fixture.ts";
import { preparePostgres } from "../support/prepared-postgres.ts";

const dir = mkdtempSync(join(tmpdir(), "pizza-contract-"));
let postgres: LocalPostgres;
let direct: ReturnType<typeof openPostgresWarehouse>;
let api: Awaited<ReturnType<typeof openDataApi>>;
let warehouses: Record<string, TransactionalWarehouse>;
beforeAll(async () => {
  await preparePostgres(dir, "database");
  postgres = await startPostgres({ dir });
  direct = openPostgresWarehouse({ connectionString: postgres.connectionString("owner") });
  api = await openDataApi(postgres);
  warehouses = { PostgreSQL: direct, "the Data API": api.connect("owner") };
});
afterAll(async () => {
  await api.close();
  await direct.close();
  await postgres.stop();
  rmSync(dir, { recursive: true });
});

describe.each(["PostgreSQL", "the Data API"])("a warehouse over %s", (name) => {
  const query = async (sql: string, parameters?: readonly unknown[]) => await warehouses[name]!.query(sql, parameters);

  test("returns every type as the port specifies", async () => {
    const sql = `select
      12345678901234.10::numeric(16, 2) as money, 0.00::numeric(14, 2) as zero, sum(7::bigint) as total,
      9007199254740993::bigint as big, -7 as small, 3::smallint as tiny, 0.1::float8 as ratio, 2.5e10::float8 as far,
      true as yes, false as no, 'Zoë 🍕 ''n'' "co"' as words, 'x'::varchar(5) as short, '' as empty,
      date '2015-03-01' as day, timestamptz '2015-03-01 12:00:00.000123+02' as micros,
      timestamptz '2015-03-01 12:00:00.120+00' as millis, timestamptz '2015-12-31 23:00:00-05' as whole,
      timestamp '2015-03-01 10:00:00.5' as wall, '{"a": [1, null], "b": "x"}'::jsonb as document, '[1]'::json as list,
      'null'::jsonb as json_null, array['a', 'b,"c"', ''] as words_list, array[1, 2] as ints, array[true, false] as flags,
      array[7]::bigint[] as bigs, '{}'::text[] as none, null as nothing, null::bigint as no_number,
      'c0ffee00-0000-4000-8000-00000000000a'::uuid as id, '\\x00ff'::bytea as bytes`;
    expect(await query(sql)).toEqual([
      {
        money: "12345678901234.10",
        zero: "0.00",
        total: "7",
        big: "9007199254740993",
        small: -7,
        tiny: 3,
        ratio: 0.1,
        far: 2.5e10,
        yes: true,
        no: false,
        words: `Zoë 🍕 'n' "co"`,
        short: "x",
        empty: "",
        day: "2015-03-01",
        micros: "2015-03-01T10:00:00.000123Z",
        millis: "2015-03-01T12:00:00.12Z",
        whole: "2016-01-01T04:00:00Z",
        wall: "2015-03-01T10:00:00.5",
        document: { a: [1, null], b: "x" },
        list: [1],
        json_null: null,
        words_list: ["a", 'b,"c"', ""],
        ints: [1, 2],
        flags: [true, false],
        bigs: ["7"],
        none: [],
        nothing: null,
        no_number: null,
        id: "c0ffee00-0000-4000-8000-00000000000a",
        bytes: Buffer.from([0, 255]),
      },
    ]);
  });

  test("binds parameters of every kind, which never become SQL", async () => {
    const sql = `select $1::text as text, $2::bigint as big, $3::numeric as exact, $4::boolean as flag, $5::date as day,
      $6::timestamptz as at, $7::jsonb as document, $8::text[] as list, $9::text as nothing, $10::float8 as ratio,
      $1::text || $2::text as again`;
    const nasty = `'; drop schema gold -- $1 :p2 "\\`;
    const at = new Date("2015-03-01T12:00:00.123Z");
    const list = ["a", 'b"\\,{}', null];
    expect(
      await query(sql, [nasty, 12n, "0.10", true, "2015-03-01", at.toISOString(), { a: [1] }, list, null, 0.5]),
    ).toEqual([
      {
        text: nasty,
        big: "12",
        exact: "0.10",
        flag: true,
        day: "2015-03-01",
        at: "2015-03-01T12:00:00.123Z",
        document: { a: [1] },
        list,
        nothing: null,
        ratio: 0.5,
        again: `${nasty}12`,
      },
    ]);
  });

  test("returns no rows for a statement without rows or without a result", async () => {
    expect(await query("select 1 as one where false")).toEqual([]);
    expect(await query("create table if not exists public.nothing (a integer)")).toEqual([]);
  });

  test("keeps the order of rows", async () => {
    const rows = await query("select n from generate_series(1, 2000) as n order by n desc");
    expect(rows.map((row) => (row as { n: number }).n)).toEqual(Array.from({ length: 2000 }, (_, n) => 2000 - n));
  });

  test("runs each call in one transaction, so a failed call leaves nothing", async () => {
    await query("create table public.probe (a integer)");
    const sql = "with written as (insert into public.probe values (1) returning a) select a / 0 as x from written";
    await expect(query(sql)).rejects.toThrow("division by zero");
    expect(await query("select count(*)::integer as n from public.probe")).toEqual([{ n: 0 }]);
    await query("drop table public.probe");
  });

  describe("provides a transaction that", () => {
    const count = "select count(*)::integer as n from public.probe";
    const insert = "insert into public.probe values (1)";
    beforeEach(() => query("create table public.probe (a integer)"));
    afterEach(() => query("drop table public.probe"));

    test("is invisible to others until it commits", async () => {
      await warehouses[name]!.transaction("write", async (within) => {
        await within.query(insert);
        expect(await within.query(count)).toEqual([{ n: 1 }]);
        expect(await query(count)).toEqual([{ n: 0 }]);
      });
      expect(await query(count)).toEqual([{ n: 1 }]);
    });

    test("is rolled back in a dry run, and still returns its result", async () => {
      const seen = await warehouses[name]!.transaction("trial", async (within) => {
        await within.query(insert);
        return await within.query(count);
      });
      expect(seen).toEqual([{ n: 1 }]);
      expect(await query(count)).toEqual([{ n: 0 }]);
    });

    test("leaves nothing if it fails after a successful statement", async () => {
      const failing = warehouses[name]!.transaction("write", async (within) => {
        await within.query(insert);
        throw new Error("no further");
      });
      await expect(failing).rejects.toThrow("no further");
      expect(await query(count)).toEqual([{ n: 0 }]);
    });

    test("reads a consistent snapshot", async () => {
      await warehouses[name]!.transaction("snapshot", async (within) => {
        expect(await within.query(count)).toEqual([{ n: 0 }]);
        await query(insert);
        expect(await within.query(count)).toEqual([{ n: 0 }]);
      });
      expect(await query(count)).toEqual([{ n: 1 }]);
    });

    test("cannot write if it is a snapshot", async () => {
      const writing = warehouses[name]!.transaction("snapshot", (within) => within.query(insert));
      await expect(writing).rejects.toThrow("read-only transaction");
    });
  });
});
