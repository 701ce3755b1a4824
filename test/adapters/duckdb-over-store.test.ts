import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDuckDbOverStore } from "../../adapters/duckdb-over-store.ts";
import { openFolderStore } from "../../adapters/folder-store.ts";
import type { LakeTable, ObjectStore } from "../../pipeline/ports.ts";
import { writeSilver, type FixtureOrder } from "../pipeline/gold/silver-fixture.ts";

const days = ["2015-03-01", "2015-03-02", "2015-03-03"];
const orders = days.map((day): FixtureOrder => ({ id: day, at: `${day}T12:00:00`, lines: [["hawaiian_m", 1]] }));
const count = "select count(*) as n from silver_order_lines";

let root: string;
let folder: string;
let fetched: string[];
let store: ObjectStore;
let silver: (windows?: readonly string[]) => LakeTable;
let fileBytes: number;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "lake-cache-"));
  folder = join(root, "cache");
  silver = await writeSilver(join(root), 1, orders);
  const files = openFolderStore(root);
  const sizes = await Promise.all(silver().files.map(async (file) => (await files.get(file))!.length));
  fileBytes = Math.max(...sizes);
  fetched = [];
  store = {
    ...files,
    get: (key) => {
      fetched.push(key);
      return files.get(key);
    },
  };
});
afterEach(() => rmSync(root, { recursive: true }));

const isKept = (day: string) => existsSync(join(folder, silver([day]).files[0]!));

test("a query reads the files of its version, each of which is fetched only once", async () => {
  const lake = await openDuckDbOverStore({ store, folder });
  const ask = (windows?: string[]) => lake.query(count, [], [silver(windows)]);
  expect(await Promise.all([ask(), ask(), ask([days[0]!])])).toEqual([[{ n: 3n }], [{ n: 3n }], [{ n: 1n }]]);
  expect(await ask()).toEqual([{ n: 3n }]);
  expect(fetched.toSorted()).toEqual([...silver().files].toSorted());
  await lake.close();
});

test("files that one process fetched are reused by the next", async () => {
  const first = await openDuckDbOverStore({ store, folder });
  await first.query(count, [], [silver()]);
  await first.close();
  const second = await openDuckDbOverStore({ store, folder });
  expect(await second.query(count, [], [silver()])).toEqual([{ n: 3n }]);
  expect(fetched).toHaveLength(3);
  await second.close();
});

test("the least recently used files are evicted", async () => {
  const lake = await openDuckDbOverStore({ store, folder, maxBytes: 2 * fileBytes });
  for (const day of [0, 1, 0, 2]) expect(await lake.query(count, [], [silver([days[day]!])])).toEqual([{ n: 1n }]);
  expect(days.map(isKept)).toEqual([true, false, true]);
  expect(await lake.query(count, [], [silver([days[1]!])])).toEqual([{ n: 1n }]);
  expect(fetched).toHaveLength(4);
  await lake.close();
});

test("concurrent queries never evict each other's files", async () => {
  const lake = await openDuckDbOverStore({ store, folder, maxBytes: 3 * fileBytes });
  const asked = Array.from({ length: 24 }, (_, index) => lake.query(count, [], [silver([days[index % 3]!])]));
  expect((await Promise.all(asked)).flat()).toEqual(asked.map(() => ({ n: 1n })));
  await lake.close();
});

test("a query that needs more than the cache limit fails with advice, and the next one works", async () => {
  const lake = await openDuckDbOverStore({ store, folder, maxBytes: 2 * fileBytes });
  await expect(lake.query(count, [], [silver()])).rejects.toThrow(
    /^Lake cache .*: \d+ bytes are in use, \d+ are allowed: give the function more ephemeral storage, or query with Athena/,
  );
  expect(await lake.query(count, [], [silver(days.slice(1))])).toEqual([{ n: 2n }]);
  await lake.close();
});

test("the error about a file that is not in the store names it", async () => {
  const lake = await openDuckDbOverStore({ store, folder });
  const gone = { ...silver(), files: ["silver/order_date=2015-03-01/gone.parquet"] };
  await expect(lake.query(count, [], [gone])).rejects.toThrow(
    "Lake file silver/order_date=2015-03-01/gone.parquet: not in the store",
  );
  await lake.close();
});
