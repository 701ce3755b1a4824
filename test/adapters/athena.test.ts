import { mkdtempSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AthenaClient } from "@aws-sdk/client-athena";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openAthenaLake } from "../../adapters/athena.ts";
import { openDuckDbLake } from "../../adapters/duckdb.ts";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { loadGoldSql, readProjectFile } from "../../adapters/project-files.ts";
import type { LakeQuery, LakeTable, ObjectStore } from "../../pipeline/ports.ts";
import { quarantineColumns } from "../../pipeline/silver/quarantine-table.ts";
import { writeSilver, type FixtureOrder } from "../pipeline/gold/silver-fixture.ts";
import { startAthenaServer, type AthenaServer } from "../support/athena-server.ts";
import { testAccess } from "../support/aws-access.ts";
import { duckDbEngine } from "../support/duckdb-engine.ts";

const orders: FixtureOrder[] = [
  { id: "a", at: "2015-03-01T11:38:36.120", lines: [["hawaiian_m", 1], ["bbq_ckn_s", 2]], customer: "it's c1" }, // prettier-ignore
  { id: "b", at: "2015-03-02T12:00:00", lines: [["hawaiian_m", 1]] },
  { id: "c", at: "2015-03-03T12:00:00.000123", lines: [["hawaiian_m", 1]], status: "cancelled" },
];

const root = mkdtempSync(join(tmpdir(), "pizza-athena-"));
const store = openFolderStore(root);
const bucket = "pizza-lake";
let server: AthenaServer;
let client: AthenaClient;
let athena: LakeQuery;
let duckdb: Awaited<ReturnType<typeof openDuckDbLake>>;
let silver: (windows?: readonly string[]) => LakeTable;
beforeAll(async () => {
  silver = await writeSilver(root, 1, orders);
  server = await startAthenaServer({ engine: duckDbEngine({ root, bucket }) });
  client = new AthenaClient({ ...testAccess, endpoint: server.url });
  athena = openAthenaLake({ workgroup: "pipeline", database: "pizza", bucket, store, client });
  duckdb = await openDuckDbLake({ root });
});
afterAll(async () => {
  client.destroy();
  await server.close();
  await duckdb.close();
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  server.queries.length = 0;
  server.requests.length = 0;
});

const quarantine: LakeTable = { name: "quarantine_order_events", version: -1, files: [], columns: quarantineColumns };
const { "day-facts": dayFacts, "day-customers": dayCustomers, customerDays } = loadGoldSql();
const days = ["2015-03-01", "2015-03-31"];

test.each([
  ["every column", "select * from silver_order_lines", []],
  ["the facts of days", dayFacts, days],
  ["the customers of days", dayCustomers, days],
  ["the days of customers", customerDays, days],
  ["sales per day", readProjectFile("sql/checks/silver-days.sql"), []],
  ["duplicate lines", readProjectFile("sql/checks/silver-repeats.sql"), []],
  ["rejected events", readProjectFile("sql/checks/quarantined-events.sql"), []],
])("%s returns the same rows as DuckDB", async (_, sql, parameters) => {
  for (const table of [silver(), silver(["2015-03-02"]), { ...silver(), files: [] }]) {
    const rows = await athena.query(sql, parameters, [table, quarantine]);
    const order = (row: object) => Object.values(row).map(String).join();
    const sorted = (some: object[]) => some.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
    expect(sorted(rows)).toEqual(sorted(await duckdb.query(sql, parameters, [table, quarantine])));
  }
});

test("parameters are bound and never become SQL", async () => {
  const sql = "select order_id, ? as number from silver_order_lines where customer_key = ?";
  expect(await athena.query(sql, [7, "it's c1"], [silver()])).toEqual([
    { order_id: "a", number: 7 },
    { order_id: "a", number: 7 },
  ]);
  expect(await athena.query(sql, [7, "' or true --"], [silver()])).toEqual([]);
  expect(server.queries.at(-1)).toMatchObject({ parameters: ["7", "''' or true --'"], workgroup: "pipeline" });
});

test("a result of many pages is returned completely and in order", async () => {
  const sql = "select n from (select unnest(range(2500)) as n) order by n";
  const rows = await athena.query(sql, [], []);
  expect(rows).toEqual(Array.from({ length: 2500 }, (_, n) => ({ n: BigInt(n) })));
  expect(server.requests.filter((request) => request === "GetQueryResults")).toHaveLength(3);
});

test("concurrent queries each see their own files", async () => {
  const sql = "select count(*) as n from silver_order_lines";
  const ask = (windows: string[]) => athena.query(sql, [], [silver(windows)]);
  const answers = await Promise.all([ask(["2015-03-01"]), ask(["2015-03-02"]), ask(["2015-03-01", "2015-03-02"])]);
  expect(answers.flat().map(({ n }) => n)).toEqual([2n, 1n, 3n]);
});

test("the manifest is written before every query, even if it exists", async () => {
  const puts: string[] = [];
  const noting: Pick<ObjectStore, "put"> = {
    put: (key, body, options) => (puts.push(key), store.put(key, body, options)),
  };
  const lake = openAthenaLake({ workgroup: "w", database: "pizza", bucket, store: noting, client });
  const ask = () => lake.query("select 1 as one from silver_order_lines", [], [silver()]);
  await ask();
  const file = join(root, puts[0]!);
  utimesSync(file, 0, 0);
  await ask();
  expect(statSync(file).mtimeMs).toBeGreaterThan(0);
  expect(puts).toHaveLength(2);
  expect(new Set(puts).size).toBe(1);
});

test("no query starts before its manifest is written", async () => {
  const started: number[] = [];
  const slow: Pick<ObjectStore, "put"> = {
    async put(key, body, options) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      started.push(server.queries.length);
      return await store.put(key, body, options);
    },
  };
  const lake = openAthenaLake({ workgroup: "w", database: "pizza", bucket, store: slow, client });
  await lake.query("select 1 as one from silver_order_lines", [], [silver()]);
  expect(started).toEqual([0]);
});

test("a start that is throttled or loses its response is retried, and the query runs once", async () => {
  server.fail("TooManyRequestsException", 2);
  expect(await athena.query("select 1 as one", [], [])).toEqual([{ one: 1 }]);
  server.fail("answer lost");
  expect(await athena.query("select 2 as two", [], [])).toEqual([{ two: 2 }]);
  expect(server.queries).toHaveLength(2);
});

test("a failed query reports its reason and id", async () => {
  await expect(athena.query("select nothing from silver_order_lines", [], [silver()])).rejects.toThrow(
    /^Athena query [0-9a-f-]{36} failed: .*nothing/,
  );
});

test("a query over the workgroup's scan limit reports it and what to do", async () => {
  server.fail("scan limit");
  await expect(athena.query("select 1 as one", [], [])).rejects.toThrow(
    /was cancelled after 12345 bytes scanned: .*Bytes scanned limit was exceeded: .*scan limit of workgroup tests, raise it or query fewer days/,
  );
});

test("a query over Athena's limits is rejected before it is sent", async () => {
  await expect(athena.query(`select '${"x".repeat(262_144)}' as x`, [], [])).rejects.toThrow(
    /^Athena: a query of 2621\d\d bytes exceeds the limit of 262144/,
  );
  await expect(athena.query("select ? as x", ["x".repeat(1025)], [])).rejects.toThrow(/1024 characters/);
  expect(server.requests).toEqual([]);
});
