import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDuckDbLake } from "../../adapters/duckdb.ts";
import type { LakeTable } from "../../pipeline/ports.ts";
import { writeSilver, type FixtureOrder } from "../pipeline/gold/silver-fixture.ts";

const orders: FixtureOrder[] = [
  { id: "a", at: "2015-03-01T11:38:36.120", lines: [["hawaiian_m", 1], ["bbq_ckn_s", 2]], customer: "it's c1" }, // prettier-ignore
  { id: "b", at: "2015-03-02T12:00:00", lines: [["hawaiian_m", 1]] },
];

const root = mkdtempSync(join(tmpdir(), "pizza-lake-"));
let lake: Awaited<ReturnType<typeof openDuckDbLake>>;
let silver: (windows?: readonly string[]) => LakeTable;
beforeAll(async () => {
  silver = await writeSilver(root, 1, orders);
  lake = await openDuckDbLake({ root });
});
afterAll(async () => {
  await lake.close();
  rmSync(root, { recursive: true });
});

test("rows have the types of the port", async () => {
  expect(
    await lake.query(
      `select order_date, ordered_at, is_first_of_order, customer_key, revenue_cents, producer_seq,
         cast(1.50 as decimal(9, 2)) as exact
       from silver_order_lines order by order_date, line_no`,
      [],
      [silver()],
    ),
  ).toMatchObject([
    {
      order_date: "2015-03-01",
      ordered_at: "2015-03-01T11:38:36.120Z",
      is_first_of_order: true,
      customer_key: "it's c1",
      revenue_cents: 1325,
      producer_seq: 1n,
      exact: "1.50",
    },
    { is_first_of_order: false },
    { order_date: "2015-03-02", customer_key: null, producer_seq: 2n },
  ]);
});

test("microseconds are kept, and no time is shifted by a time zone", async () => {
  const [row] = await lake.query("select cast('2015-03-01 11:38:36.000123+00' as timestamptz) as at", [], []);
  expect(row).toEqual({ at: "2015-03-01T11:38:36.000123Z" });
});

test("parameters are bound and never become SQL", async () => {
  const sql = "select order_id from silver_order_lines where customer_key = ?";
  expect(await lake.query(sql, ["it's c1"], [silver()])).toHaveLength(2);
  expect(await lake.query(sql, ["' or true --"], [silver()])).toEqual([]);
});

test("a table without a file is empty and has its columns and their types", async () => {
  const empty = { ...silver(), files: [] };
  const sql = "select sum(revenue_cents) as cents, count(*) as n, max(order_date) as last from silver_order_lines";
  expect(await lake.query(sql, [], [empty])).toEqual([{ cents: null, n: 0n, last: null }]);
  const days = "select order_id from silver_order_lines where order_date between cast(? as date) and cast(? as date)";
  expect(await lake.query(days, ["2015-01-01", "2015-12-31"], [empty])).toEqual([]);
});

test("concurrent queries each see their own files", async () => {
  const ask = (windows: string[]) => lake.query("select count(*) as n from silver_order_lines", [], [silver(windows)]);
  const answers = await Promise.all([ask(["2015-03-01"]), ask(["2015-03-02"]), ask(["2015-03-01", "2015-03-02"])]);
  expect(answers.flat().map(({ n }) => n)).toEqual([2n, 1n, 3n]);
});

test("the error about a missing file names it", async () => {
  const gone = { ...silver(), files: ["order_date=2015-03-01/gone.parquet"] };
  await expect(lake.query("select 1 as one from silver_order_lines", [], [gone])).rejects.toThrow(/gone\.parquet/);
});

test("any ad-hoc statement finds the table: with, describe, one that ends in a semicolon", async () => {
  const ask = (sql: string) => lake.query(sql, [], [silver()]);
  const ids = [{ order_id: "a" }, { order_id: "b" }];
  const select = "select distinct order_id from silver_order_lines order by 1";
  for (const sql of [select, `-- both\n${select};`, `with lines as (from silver_order_lines) ${select}`])
    expect(await ask(sql)).toEqual(ids);
  expect(await ask("describe silver_order_lines")).toContainEqual(expect.objectContaining({ column_name: "order_id" }));
});

test("an ad-hoc statement can only read, and only the lake", async () => {
  const outside = mkdtempSync(join(tmpdir(), "pizza-outside-"));
  const secret = join(outside, "secret.txt");
  writeFileSync(secret, "secret");
  const [file] = silver().files;
  const before = readFileSync(join(root, file!));
  const rejected = /a lake query must (?:only read|be one statement)|^Permission Error: /;
  const statements = [
    `copy (select 1) to '${join(outside, "new.csv")}'`,
    `copy (select 1) to '${join(root, "new.csv")}'`,
    `copy (select 1 as a) to '${join(root, file!)}' (format parquet)`,
    `explain analyze copy (select 1) to '${join(root, "new.csv")}'`,
    `select 1; copy (select 1) to '${join(root, "new.csv")}'`,
    `export database '${join(root, "exported")}'`,
    `attach '${join(root, "new.db")}' as other`,
    `attach '${join(outside, "new.db")}' as other`,
    `select * from read_text('${secret}')`,
    `select * from read_text('${join(root, "..", "..", secret)}')`,
    `select * from glob('${outside}/*')`,
    "from read_csv('/etc/passwd')",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set global allowed_directories = ['/']",
    "reset lock_configuration",
    "pragma enable_profiling",
    "create table kept as select 1",
    "create persistent secret s (type s3)",
    "",
  ];
  for (const statement of statements) {
    await expect(lake.query(statement, [], [silver()]), statement).rejects.toThrow(rejected);
  }
  expect(readdirSync(outside)).toEqual(["secret.txt"]);
  expect(readdirSync(root)).not.toContain("new.csv");
  expect(readFileSync(join(root, file!))).toEqual(before);
  expect(await lake.query("select count(*) as n from silver_order_lines", [], [silver()])).toEqual([{ n: 3n }]);
  expect(await lake.query("explain select * from silver_order_lines", [], [silver()])).toHaveLength(1);
  rmSync(outside, { recursive: true });
});

test("the lake's folder can have any name", async () => {
  const folder = join(root, "it's a, lake");
  for (const file of silver().files) cpSync(join(root, file), join(folder, file), { recursive: true });
  const other = await openDuckDbLake({ root: folder });
  expect(await other.query("select count(*) as n from silver_order_lines", [], [silver()])).toEqual([{ n: 3n }]);
  await other.close();
});

/** Seconds of work: long after it was cancelled, and not for ever where it is not. */
const endless = "select sum(hash(a.range, b.range)) as sum from range(40000) a cross join range(40000) b";

test.each([
  ["one select", endless],
  ["a statement of another form", `with numbers as (${endless}) select * from numbers`],
  ["the compilation of a view", `select * from (${endless}) union all select count(*) from silver_order_lines`],
])("a cancelled query is interrupted: %s", async (_, text) => {
  const asked = new AbortController();
  const answer = lake.query(text, [], [silver()], { signal: asked.signal });
  setTimeout(() => asked.abort(new Error("nobody waits for it")), 100);
  await expect(answer).rejects.toThrow("nobody waits for it");
  expect(await lake.query("select 1 as one", [], [])).toEqual([{ one: 1 }]);
});

test("a query that was cancelled before its start never runs", async () => {
  const signal = AbortSignal.abort(new Error("nobody waits for it"));
  await expect(lake.query("select 1", [], [], { signal })).rejects.toThrow("nobody waits for it");
});

test("closing interrupts running queries", async () => {
  const other = await openDuckDbLake({ root });
  const answer = other.query(endless, [], []).catch((error: Error) => error.message);
  await other.close();
  expect(await answer).toContain("the lake was closed");
});
