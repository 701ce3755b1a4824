import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compactTable, planCompaction } from "../../../pipeline/delta/compact.ts";
import type { DeltaTable, Snapshot } from "../../../pipeline/delta/table.ts";
import { readColumns } from "../../../pipeline/parquet/read-columns.ts";
import type { ObjectStore } from "../../../pipeline/ports.ts";
import { createMemoryStore } from "./memory-store.ts";
import { appendSmall, commitSmall, openSmall, smallRows, writeSmall } from "./small-table.ts";

const day = "2015-01-01";

async function idsOf(store: ObjectStore, { files }: Pick<Snapshot, "files">): Promise<string[]> {
  const ids: string[] = [];
  for (const { path } of files.values()) {
    const { order_id: read } = await readColumns((await store.get(`t/${path}`))!, ["order_id"]);
    ids.push(...read!.map(String));
  }
  return ids;
}

async function fill(table: DeltaTable, files: number): Promise<void> {
  for (let file = files; file > 0; file--) await appendSmall(table, day, `o-${file}b`, `o-${file}a`);
}

describe("compaction", () => {
  test("merges many small files of a day into one with the same rows in order, and is not a data change", async () => {
    const store = createMemoryStore();
    const table = openSmall(store);
    await fill(table, 9);
    await appendSmall(table, "2015-01-02", "o-other");
    const before = await table.snapshot();
    const summary = await compactTable({ table, store });
    expect(summary).toEqual({ version: 10, committed: true, filesRemoved: 9, filesAdded: 1, rows: 18 });
    const after = await table.snapshot();
    const ids = await idsOf(store, after);
    expect(ids.toSorted()).toEqual((await idsOf(store, before)).toSorted());
    const joined = { ...after, files: new Map(after.partitions.get(day)!.map((file) => [file.path, file])) };
    expect(await idsOf(store, joined)).toEqual((await idsOf(store, joined)).toSorted());
    expect((await table.changes(before.version, after.version))!.partitions.size).toBe(0);
    expect(await idsOf(store, await openSmall(store).snapshot(before.version))).toHaveLength(19);
  });

  test("does nothing if there are few small files, and nothing a second time", async () => {
    const store = createMemoryStore();
    const table = openSmall(store);
    await fill(table, 7);
    expect(await compactTable({ table, store })).toMatchObject({ committed: false, version: 6 });
    await appendSmall(table, day, "o-8");
    expect(await compactTable({ table, store })).toMatchObject({ committed: true, version: 8 });
    expect(await compactTable({ table, store })).toMatchObject({ committed: false, version: 8 });
  });

  test("rewrites no further day once it is told to stop, and goes on the next time", async () => {
    const store = createMemoryStore();
    const table = openSmall(store);
    await fill(table, 9);
    for (let file = 0; file < 8; file++) await appendSmall(table, "2015-01-02", `o-${file}`);
    const before = await idsOf(store, await table.snapshot());
    expect(await compactTable({ table, store, shouldStop: () => true })).toMatchObject({
      filesRemoved: 9,
      filesAdded: 1,
      rows: 18,
    });
    expect(await compactTable({ table, store })).toMatchObject({ filesRemoved: 8, filesAdded: 1 });
    expect((await idsOf(store, await table.snapshot())).toSorted()).toEqual(before.toSorted());
  });

  test("is rebased on files that are appended meanwhile", async () => {
    const store = createMemoryStore();
    const table = openSmall(store);
    await fill(table, 8);
    const other = openSmall(store);
    const racing = withEvent(store, async () => void (await appendSmall(other, day, "o-late")));
    const summary = await compactTable({ table: openSmall(racing), store: racing });
    expect(summary).toMatchObject({ committed: true, version: 9 });
    expect((await idsOf(store, await table.snapshot())).toSorted()).toHaveLength(17);
  });

  test("gives up, and deletes its files, if one of its sources was rewritten meanwhile", async () => {
    const store = createMemoryStore();
    const table = openSmall(store);
    await fill(table, 8);
    const other = openSmall(store);
    const racing = withEvent(store, async () => {
      const [source] = (await other.snapshot()).files.values();
      const corrected = await writeSmall(other, day, smallRows("o-corrected"));
      await commitSmall(other, { operation: "MERGE", adds: [corrected], removes: [source!] });
    });
    const summary = await compactTable({ table: openSmall(racing), store: racing });
    expect(summary).toMatchObject({ committed: false, filesAdded: 0 });
    expect(await idsOf(store, await table.snapshot())).toContain("o-corrected");
    const dataFiles = [...store.objects.keys()].filter((key) => key.startsWith("t/order_date"));
    expect(dataFiles).toHaveLength(9);
  });
});

/** Runs a callback just before the first new data file is written. */
function withEvent(store: ObjectStore, event: () => Promise<void>): ObjectStore {
  let happened = false;
  return {
    ...store,
    async put(key, body, options) {
      if (key.startsWith("t/order_date") && !happened) {
        happened = true;
        await event();
      }
      return await store.put(key, body, options);
    },
  };
}

describe("the plan of a compaction", () => {
  const options = { minFiles: 4, targetRows: 10_000, maxRowsPerRun: 3_000 };

  test("rewrites each row about log(rows) times as a day grows, and keeps the number of files low", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 500, maxLength: 500 }), (sizes) => {
        let files: { path: string; size: number; rows: number; modificationTime: number }[] = [];
        let rewritten = 0;
        let largestRun = 0;
        for (const [index, rows] of sizes.entries()) {
          files.push({ path: String(index), size: rows, rows, modificationTime: 0 });
          const groups = planCompaction(new Map([[day, files]]), options);
          const run = groups.flat().reduce((sum, file) => sum + file.rows, 0);
          rewritten += run;
          largestRun = Math.max(largestRun, run);
          for (const [number, group] of groups.entries()) {
            const total = group.reduce((sum, file) => sum + file.rows, 0);
            files = files.filter((file) => !group.includes(file));
            files.push({ path: `${index}-${number}`, size: total, rows: total, modificationTime: 0 });
          }
        }
        const rows = sizes.reduce((sum, size) => sum + size, 0);
        expect(files.reduce((sum, file) => sum + file.rows, 0)).toBe(rows);
        expect(rewritten).toBeLessThan(rows * Math.log(rows));
        expect(files.length).toBeLessThan(options.minFiles * Math.ceil(Math.log(rows) / Math.log(options.minFiles)));
        expect(largestRun).toBeLessThanOrEqual(options.maxRowsPerRun);
      }),
      { numRuns: 50 },
    );
  });
});
