import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Snapshot } from "../../../pipeline/delta/table.ts";
import type { ObjectStore } from "../../../pipeline/ports.ts";
import { createMemoryStore } from "./memory-store.ts";
import { appendSmall, commitSmall, dayMs, newYear, openSmall } from "./small-table.ts";

const name = (version: number) => `t/_delta_log/${String(version).padStart(20, "0")}`;

function content(snapshot: Snapshot) {
  const sorted = <Value>(map: ReadonlyMap<string, Value>) => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    version: snapshot.version,
    metadata: snapshot.metadata,
    protocol: snapshot.protocol,
    files: sorted(snapshot.files),
    partitions: sorted(snapshot.partitions).map(([day, files]) => [day, files.map(({ path }) => path).toSorted()]),
    transactions: sorted(snapshot.transactions),
    removed: sorted(snapshot.removed),
  };
}

const steps = fc.array(
  fc.record({
    adds: fc.array(
      fc.record({
        day: fc.constantFrom("2015-01-01", "2015-01-02", "2015-12-31"),
        rows: fc.nat(1000),
        withStats: fc.boolean(),
      }),
      { maxLength: 3 },
    ),
    removes: fc.nat(2),
    transactions: fc.array(fc.record({ appId: fc.constantFrom("a", "b", "ü/é", "c"), version: fc.nat() }), {
      maxLength: 2,
    }),
  }),
  { minLength: 1, maxLength: 25 },
);

describe("a checkpoint", () => {
  test("contains exactly the state that replaying the log produces", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (commits) => {
        const store = createMemoryStore();
        const table = openSmall(store, { checkpointEvery: 3 });
        let files = 0;
        for (const { adds, removes, transactions } of commits) {
          const live = [...(await table.snapshot()).files.values()];
          const added = adds.map(({ day, rows, withStats }) => ({
            path: `order_date=${day}/part-${files++}.parquet`,
            partition: day,
            size: rows * 20,
            rows,
            ...(withStats && {
              stats: {
                numRecords: rows,
                minValues: { order_id: "ä" },
                maxValues: { order_id: "z\u{10ffff}" },
                nullCount: { order_id: 0 },
              },
            }),
          }));
          const unique = [
            ...new Map(
              transactions.map((transaction) => [transaction.appId, { ...transaction, lastUpdated: newYear }]),
            ).values(),
          ];
          await commitSmall(table, { adds: added, removes: live.slice(0, removes), transactions: unique });
        }
        const fromCheckpoint = await openSmall(store).snapshot();
        for (const key of store.objects.keys()) if (!key.endsWith(".json")) store.objects.delete(key);
        const replayed = await openSmall(store).snapshot();
        expect(content(fromCheckpoint)).toEqual(content(replayed));
        expect(content(await table.snapshot())).toEqual(content(replayed));
      }),
      { numRuns: 40 },
    );
  });

  test("is written every few commits, and makes the log before it unnecessary", async () => {
    const store = createMemoryStore();
    const table = openSmall(store, { checkpointEvery: 5 });
    for (let order = 0; order < 12; order++) await appendSmall(table, "2015-01-01", `o-${order}`);
    const checkpoints = [...store.objects.keys()].filter((key) => key.endsWith(".checkpoint.parquet"));
    expect(checkpoints).toEqual([`${name(4)}.checkpoint.parquet`, `${name(9)}.checkpoint.parquet`]);
    expect(JSON.parse(Buffer.from(store.objects.get("t/_delta_log/_last_checkpoint")!).toString())).toMatchObject({
      version: 9,
    });
    for (let version = 0; version < 9; version++) await store.delete(`${name(version)}.json`);
    expect((await openSmall(store).snapshot()).files.size).toBe(12);
    const onCleaned = {
      readVersion: 3,
      operation: "WRITE",
      adds: [],
      removes: [],
      transactions: [],
      operationMetrics: {},
    };
    expect(await table.commit(onCleaned)).toEqual({ committed: false });
    await expect(openSmall(store).snapshot(3)).rejects.toThrow(
      "version 3 is older than the log retention; the oldest version is 4",
    );
  });

  test("of a large table is written only once a tenth of the table is new", async () => {
    const store = createMemoryStore();
    const table = openSmall(store, { checkpointEvery: 2 });
    const adds = Array.from({ length: 60 }, (_, file) => ({
      path: `order_date=2015-01-01/${file}`,
      partition: "2015-01-01",
      size: 1,
      rows: 1,
    }));
    await commitSmall(table, { adds });
    for (let order = 0; order < 9; order++) await appendSmall(table, "2015-01-01", `o-${order}`);
    const checkpoints = [...store.objects.keys()].filter((key) => key.endsWith(".checkpoint.parquet"));
    expect(checkpoints.map((key) => Number.parseInt(key.split("/")[2]!, 10))).toEqual([1, 5, 9]);
  });

  test("that cannot be written is reported and does not fail the commit", async () => {
    const store = createMemoryStore();
    const full: ObjectStore = {
      ...store,
      async put(key, body, options) {
        if (key.includes("checkpoint")) throw new Error("disk full");
        return await store.put(key, body, options);
      },
    };
    const errors: unknown[] = [];
    const table = openSmall(full, { checkpointEvery: 2, onCheckpointError: (error) => errors.push(error) });
    for (const id of ["o-1", "o-2", "o-3"]) await appendSmall(table, "2015-01-01", id);
    expect(errors.map(String)).toContain("Error: disk full");
    expect((await openSmall(store).snapshot()).files.size).toBe(3);
  });

  test("that the hint names but that does not exist is not needed", async () => {
    const store = createMemoryStore();
    const table = openSmall(store, { checkpointEvery: 2 });
    for (const id of ["o-1", "o-2", "o-3"]) await appendSmall(table, "2015-01-01", id);
    await store.delete(`${name(1)}.checkpoint.parquet`);
    expect((await openSmall(store).snapshot()).files.size).toBe(3);
  });

  test("that cannot be read is named in the error", async () => {
    const store = createMemoryStore();
    const table = openSmall(store, { checkpointEvery: 2 });
    for (const id of ["o-1", "o-2"]) await appendSmall(table, "2015-01-01", id);
    const key = `${name(1)}.checkpoint.parquet`;
    await store.put(key, (await store.get(key))!.map((byte, at) => (at === 10 ? byte ^ 64 : byte)).subarray(0, 400));
    await expect(openSmall(store).snapshot()).rejects.toThrow(`${key} cannot be read; restore the file from a backup`);
  });

  test("drops expired transactions and tombstones, and keeps those that never expire", async () => {
    const store = createMemoryStore();
    let now = newYear;
    const table = openSmall(store, { checkpointEvery: 3, clock: () => now });
    const old = await appendSmall(table, "2015-01-01", "o-1");
    await commitSmall(table, {
      removes: [old],
      transactions: [
        { appId: "old", version: 0, lastUpdated: now },
        { appId: "for ever", version: 4 },
      ],
    });
    now += 6 * dayMs;
    await commitSmall(table, { transactions: [{ appId: "young", version: 0, lastUpdated: now }] });
    expect([...(await table.snapshot()).transactions.keys()]).toEqual(["old", "for ever", "young"]);
    now += 2 * dayMs;
    for (let commit = 0; commit < 3; commit++) await commitSmall(table, {});
    for (const reader of [table, openSmall(store)]) {
      const { transactions, removed } = await reader.snapshot();
      expect([...transactions.keys()].toSorted()).toEqual(["for ever", "young"]);
      expect(removed.size).toBe(0);
    }
  });
});
