import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import { lakeTable } from "../../../pipeline/delta/table.ts";
import type { ObjectStore } from "../../../pipeline/ports.ts";
import { createMemoryStore } from "./memory-store.ts";
import {
  appendSmall,
  commitSmall,
  dayMs,
  newYear,
  openSmall,
  smallColumns,
  smallRows,
  writeSmall,
} from "./small-table.ts";

const none = { operation: "WRITE", adds: [], removes: [], transactions: [], operationMetrics: {} };
const logKey = (version: number) => `t/_delta_log/${String(version).padStart(20, "0")}.json`;

async function readLog(store: ObjectStore, version: number): Promise<Record<string, Record<string, unknown>>[]> {
  const body = Buffer.from((await store.get(logKey(version)))!).toString();
  return body
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("a new table", () => {
  test("has version -1 and no files until its first commit", async () => {
    const snapshot = await openSmall(createMemoryStore()).snapshot();
    expect(snapshot.version).toBe(-1);
    expect(snapshot.files.size).toBe(0);
  });

  test("has protocol and metadata in its first commit, as the Delta protocol requires", async () => {
    const store = createMemoryStore();
    const table = openSmall(store);
    const file = await writeSmall(table, "2015-01-01", smallRows("o-1", "o-2"));
    await commitSmall(table, {
      adds: [file],
      transactions: [
        { appId: "bronze/a", version: 0, lastUpdated: 5 },
        { appId: "settled", version: 7 },
      ],
      operationMetrics: { lines: 2 },
      userMetadata: "a note",
    });
    const [info, protocol, metadata, ...rest] = await readLog(store, 0);
    expect(info).toMatchObject({
      commitInfo: {
        timestamp: newYear,
        operation: "WRITE",
        operationMetrics: { lines: "2" },
        userMetadata: "a note",
        isBlindAppend: true,
      },
    });
    expect(protocol).toEqual({ protocol: { minReaderVersion: 1, minWriterVersion: 2 } });
    expect(metadata).toMatchObject({
      metaData: { name: "small", partitionColumns: ["order_date"], format: { provider: "parquet" } },
    });
    expect(JSON.parse(String(metadata!["metaData"]!["schemaString"]))).toMatchObject({
      fields: [
        { name: "order_id", type: "string", nullable: false, metadata: { comment: "key" } },
        { name: "line_no", type: "integer", nullable: false },
        { name: "note", type: "string", nullable: true },
        { name: "order_date", type: "date" },
      ],
    });
    const stats = JSON.stringify({
      numRecords: 2,
      minValues: { order_id: "o-1" },
      maxValues: { order_id: "o-2" },
      nullCount: { order_id: 0 },
    });
    expect(rest).toEqual([
      { txn: { appId: "bronze/a", version: 0, lastUpdated: 5 } },
      { txn: { appId: "settled", version: 7 } },
      {
        add: {
          path: file.path,
          partitionValues: { order_date: "2015-01-01" },
          size: file.size,
          modificationTime: newYear,
          dataChange: true,
          stats,
        },
      },
    ]);
    expect(file.path).toMatch(/^order_date=2015-01-01\/part-[0-9a-f-]{36}\.zstd\.parquet$/);
  });

  test("is the same for every process that opens it later", async () => {
    const store = createMemoryStore();
    const table = openSmall(store);
    const kept = await appendSmall(table, "2015-01-01", "o-1");
    const gone = await appendSmall(table, "2015-01-02", "o-2");
    await commitSmall(table, { removes: [gone], transactions: [{ appId: "a", version: 3, lastUpdated: 9 }] });
    for (const snapshot of [await table.snapshot(), await openSmall(store).snapshot()]) {
      expect(snapshot.version).toBe(2);
      expect([...snapshot.files.values()]).toEqual([kept]);
      expect([...snapshot.partitions]).toEqual([["2015-01-01", [kept]]]);
      expect([...snapshot.transactions]).toEqual([["a", { version: 3, lastUpdated: 9 }]]);
    }
  });
});

describe("a commit", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "delta-table-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test("is won by exactly one of many writers, and the others can retry", async () => {
    const writers = Array.from({ length: 6 }, () => openSmall(openFolderStore(folder)));
    const versions = await Promise.all(
      writers.map(async (table, writer) => {
        const won = [];
        for (let turn = 0; turn < 5; turn++) {
          const file = await writeSmall(table, "2015-01-01", smallRows(`o-${writer}-${turn}`));
          for (;;) {
            const { version } = await table.snapshot();
            const result = await table.commit({ ...none, readVersion: version, adds: [file] });
            if (!result.committed) continue;
            won.push(result.version);
            break;
          }
        }
        return won;
      }),
    );
    expect(versions.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, version) => version));
    const { files } = await openSmall(openFolderStore(folder)).snapshot();
    expect(files.size).toBe(30);
  });

  test("based on a version that is no longer the newest is rejected, and writes nothing", async () => {
    const store = createMemoryStore();
    const table = openSmall(store);
    await appendSmall(table, "2015-01-01", "o-1");
    const stale = await table.snapshot();
    await appendSmall(openSmall(store), "2015-01-01", "o-2");
    const late = await table.commit({ ...none, readVersion: stale.version });
    expect(late).toEqual({ committed: false });
    await table.snapshot();
    expect(await table.commit({ ...none, readVersion: stale.version })).toEqual({ committed: false });
    expect((await table.snapshot()).version).toBe(1);
    expect(stale.files.size).toBe(1);
  });

  test("that lost its response is recognized by its own writer", async () => {
    const store = createMemoryStore();
    const forgetful: ObjectStore = {
      ...store,
      async put(key, body, options) {
        const created = await store.put(key, body, options);
        return key.includes("_delta_log") ? false : created;
      },
    };
    const table = openSmall(forgetful);
    expect(await table.commit({ ...none, readVersion: -1 })).toEqual({ committed: true, version: 0 });
    const other = openSmall(store);
    await other.snapshot();
    await commitSmall(other, {});
    expect(await table.commit({ ...none, readVersion: 0 })).toEqual({ committed: false });
    expect((await table.snapshot()).version).toBe(1);
  });

  test("cannot remove a file that is not in the table, nor add one twice", async () => {
    const table = openSmall(createMemoryStore());
    const file = await appendSmall(table, "2015-01-01", "o-1");
    await expect(commitSmall(table, { adds: [file] })).rejects.toThrow(`Delta table t: ${file.path} cannot be added`);
    await commitSmall(table, { removes: [file] });
    await expect(commitSmall(table, { removes: [file] })).rejects.toThrow(
      `Delta table t: ${file.path} cannot be removed`,
    );
  });

  test("may add a removed file again", async () => {
    const table = openSmall(createMemoryStore());
    const file = await appendSmall(table, "2015-01-01", "o-1");
    await commitSmall(table, { removes: [file] });
    expect([...(await table.snapshot()).removed.keys()]).toEqual([file.path]);
    await commitSmall(table, { adds: [file] });
    const { files, removed } = await table.snapshot();
    expect([[...files.keys()], removed.size]).toEqual([[file.path], 0]);
  });

  test("without a data change does not count as a change of its partitions", async () => {
    const table = openSmall(createMemoryStore());
    const one = await appendSmall(table, "2015-01-01", "o-1");
    await appendSmall(table, "2015-01-02", "o-2");
    const merged = await writeSmall(table, "2015-01-01", smallRows("o-1"));
    await commitSmall(table, {
      operation: "OPTIMIZE",
      adds: [merged],
      removes: [one],
      dataChange: false,
      userMetadata: "m",
    });
    const changes = (await table.changes(0, 2))!;
    expect(changes.partitions).toEqual(new Set(["2015-01-02"]));
    expect(
      changes.commits.map(({ version, operation, dataChange, userMetadata }) => [
        version,
        operation,
        dataChange,
        userMetadata,
      ]),
    ).toEqual([
      [1, "WRITE", true, undefined],
      [2, "OPTIMIZE", false, "m"],
    ]);
    expect((await table.changes(-1, 0))!.partitions).toEqual(new Set(["2015-01-01"]));
    expect(await table.changes(2, 2)).toEqual({ partitions: new Set(), commits: [] });
  });
});

describe("time travel", () => {
  test("shows every version as it was, from the cache and from the log", async () => {
    const store = createMemoryStore();
    const table = openSmall(store, { checkpointEvery: 4 });
    const states: string[][] = [];
    for (let day = 1; day <= 30; day++) {
      const file = await writeSmall(table, `2015-01-0${1 + (day % 9)}`, smallRows(`o-${day}`));
      const { files } = await table.snapshot();
      const oldest = [...files.values()][0];
      await commitSmall(table, { adds: [file], removes: oldest && day % 3 === 0 ? [oldest] : [] });
      states.push([...(await table.snapshot()).files.keys()].toSorted());
    }
    for (const reader of [table, openSmall(store)]) {
      for (const [version, paths] of states.entries()) {
        const snapshot = await reader.snapshot(version);
        expect(snapshot.version).toBe(version);
        expect([...snapshot.files.keys()].toSorted()).toEqual(paths);
      }
    }
  });

  test("to a version that does not exist is rejected", async () => {
    const table = openSmall(createMemoryStore());
    await appendSmall(table, "2015-01-01", "o-1");
    await expect(table.snapshot(5)).rejects.toThrow("Delta table t: version 5 does not exist; the newest is 0");
  });
});

describe("an unexpected table", () => {
  const [orderId, lineNo, note] = smallColumns;

  test.each([
    ["a column is gone here", [orderId, lineNo], "note is only in the table"],
    [
      "a type differs",
      [orderId, { ...lineNo, type: "long" as const }, note],
      "line_no is integer in the table and long here",
    ],
    [
      "a column may no longer be null",
      [orderId, lineNo, { name: "note", type: "string" as const, comment: "" }],
      "note is string or null in the table and string here",
    ],
    [
      "a new column may not be null",
      [...smallColumns, { name: "town", type: "string" as const, comment: "" }],
      "town is not in the table and not nullable",
    ],
  ])("is rejected with the names of the columns: %s", async (_, columns, message) => {
    const store = createMemoryStore();
    await appendSmall(openSmall(store), "2015-01-01", "o-1");
    await expect(openSmall(store, { columns }).snapshot()).rejects.toThrow(message);
  });

  test("gains new nullable columns in the next commit", async () => {
    const store = createMemoryStore();
    await appendSmall(openSmall(store), "2015-01-01", "o-1");
    const town = { name: "town", type: "string", nullable: true, comment: "new" } as const;
    const table = openSmall(store, { columns: [...smallColumns, town] });
    await commitSmall(table, {});
    await commitSmall(table, {});
    expect((await table.snapshot()).metadata!.schemaString).toContain('"town"');
    expect((await readLog(store, 2)).some((action) => "metaData" in action)).toBe(false);
    await expect(openSmall(store).snapshot()).rejects.toThrow("town is only in the table");
  });

  test("is rejected if it has the same columns but another partition column", async () => {
    const store = createMemoryStore();
    await appendSmall(openSmall(store), "2026-01-01", "a");
    const commit = Buffer.from((await store.get(logKey(0)))!).toString();
    const other = commit.replace('"partitionColumns":["order_date"]', '"partitionColumns":[]');
    expect(other).not.toBe(commit);
    await store.put(logKey(0), Buffer.from(other));
    await expect(openSmall(store).snapshot()).rejects.toThrow("it is partitioned by nothing and not by order_date");
  });

  test("is rejected if another program has upgraded its protocol", async () => {
    const store = createMemoryStore();
    await appendSmall(openSmall(store), "2015-01-01", "o-1");
    await store.put(
      logKey(1),
      Buffer.from('{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"]}}\n'),
    );
    await expect(openSmall(store).snapshot()).rejects.toThrow("it requires reader 3 and writer 7");
  });

  test("is rejected if a version is missing from its log, which the error names", async () => {
    const store = createMemoryStore();
    const table = openSmall(store);
    for (const id of ["o-1", "o-2", "o-3", "o-4"]) await appendSmall(table, "2015-01-01", id);
    await store.delete(logKey(2));
    await expect(openSmall(store).snapshot()).rejects.toThrow("version 2 is missing from t/_delta_log/");
    expect(await openSmall(store).changes(0, 3)).toBeUndefined();
  });

  test("is rejected for a gap even by a process that has had it open for long", async () => {
    const store = createMemoryStore();
    let now = newYear;
    const table = openSmall(store, { clock: () => now });
    await appendSmall(table, "2015-01-01", "o-1");
    const other = openSmall(store);
    for (const id of ["o-2", "o-3"]) await appendSmall(other, "2015-01-01", id);
    await store.delete(logKey(1));
    now += dayMs;
    await expect(table.snapshot()).rejects.toThrow("version 1 is missing");
  });
});

test("a lake table has the files of the requested partitions, and the partition column", async () => {
  const table = openSmall(createMemoryStore());
  const one = await appendSmall(table, "2015-01-01", "o-1");
  const two = await appendSmall(table, "2015-01-02", "o-2");
  const shape = { root: "t", name: "small", columns: smallColumns, partitionColumn: "order_date" };
  const all = lakeTable(await table.snapshot(), shape);
  expect(all).toMatchObject({ name: "small", version: 1, partitionColumn: "order_date" });
  expect(all.files.toSorted()).toEqual([`t/${one.path}`, `t/${two.path}`]);
  expect(all.columns.at(-1)).toEqual({ name: "order_date", type: "date" });
  const day = lakeTable(await table.snapshot(), { ...shape, partitions: ["2015-01-02", "2015-01-03"] });
  expect(day.files).toEqual([`t/${two.path}`]);
});
