import { describe, expect, test } from "vitest";
import { createMemoryStore } from "./memory-store.ts";
import { appendSmall, commitSmall, dayMs, newYear, openSmall, smallRows, writeSmall } from "./small-table.ts";

const retention = { logRetentionMs: 7 * dayMs, orphanRetentionMs: 7 * dayMs };

/** Twenty days, each with a file appended and the previous one removed, and a checkpoint every third commit. */
async function twentyDays() {
  const store = createMemoryStore();
  let now = newYear;
  const table = openSmall(store, { checkpointEvery: 3, clock: () => now });
  const orphan = await writeSmall(table, "2015-01-01", smallRows("o-orphan"));
  let before = await appendSmall(table, "2015-01-01", "o-0");
  for (let day = 1; day < 20; day++) {
    now += dayMs;
    const file = await writeSmall(table, "2015-01-01", smallRows(`o-${day}`));
    await commitSmall(table, { adds: [file], removes: [before] });
    before = file;
  }
  return { store, table, orphan, clock: () => now };
}

describe("vacuum", () => {
  test("deletes old log and data files, and keeps every version within the retention readable", async () => {
    const { store, table, clock } = await twentyDays();
    const young = await writeSmall(table, "2015-01-01", smallRows("o-uncommitted"));
    const summary = await table.vacuum(retention);
    expect(summary.oldestVersion).toBe(11);
    expect(summary.dataFiles).toBe(12);
    for (let version = summary.oldestVersion; version < 20; version++) {
      const { files } = await openSmall(store, { clock }).snapshot(version);
      expect([...files.keys()].every((path) => store.objects.has(`t/${path}`))).toBe(true);
      expect(files.size).toBe(1);
    }
    expect(store.objects.has(`t/${young.path}`)).toBe(true);
    await expect(openSmall(store, { clock }).snapshot(10)).rejects.toThrow(
      "version 10 is older than the log retention; the oldest version is 11",
    );
    expect(await openSmall(store, { clock }).changes(5, 12)).toBeUndefined();
    expect((await openSmall(store, { clock }).snapshot()).version).toBe(19);
  });

  test("does no harm a second time", async () => {
    const { store, table } = await twentyDays();
    await table.vacuum(retention);
    const keys = [...store.objects.keys()];
    expect(await table.vacuum(retention)).toEqual({ logFiles: 0, dataFiles: 0, oldestVersion: 11 });
    expect([...store.objects.keys()]).toEqual(keys);
  });

  test("reads only one commit until the log goes back a day further than the retention", async () => {
    const { store, table } = await twentyDays();
    await table.vacuum(retention);
    const read: string[] = [];
    const watched = { ...store, get: async (key: string) => (read.push(key), await store.get(key)) };
    const later = openSmall(watched, { clock: () => newYear + 18.9 * dayMs });
    expect(await later.vacuum(retention)).toMatchObject({ oldestVersion: 11 });
    expect(read.filter((key) => key.endsWith(".json"))).toEqual(["t/_delta_log/00000000000000000011.json"]);
  });

  test("deletes nothing that is younger than the retention, and no file of unknown age", async () => {
    const { store, table } = await twentyDays();
    await store.put("t/order_date=2015-01-01/somebody-elses.parquet", Buffer.from("?"));
    const count = store.objects.size;
    await table.vacuum({ logRetentionMs: 30 * dayMs, orphanRetentionMs: 30 * dayMs });
    expect(store.objects.size).toBe(count);
    await table.vacuum(retention);
    expect(store.objects.has("t/order_date=2015-01-01/somebody-elses.parquet")).toBe(true);
  });

  test("stops when it is told to, leaves every retained version readable, and goes on the next time", async () => {
    const [whole, stopped] = [await twentyDays(), await twentyDays()];
    const summary = await whole.table.vacuum(retention);
    let answers = 0;
    const first = await stopped.table.vacuum({ ...retention, shouldStop: () => answers++ > 0 });
    expect(first).toEqual({ ...summary, dataFiles: 0 });
    for (let version = first.oldestVersion; version < 20; version++) {
      expect((await openSmall(stopped.store, stopped).snapshot(version)).files.size).toBe(1);
    }
    const dayLater = openSmall(stopped.store, { clock: () => stopped.clock() + dayMs });
    expect((await dayLater.vacuum(retention)).dataFiles).toBeGreaterThanOrEqual(summary.dataFiles);
  });

  test("does nothing if the table does not exist", async () => {
    expect(await openSmall(createMemoryStore()).vacuum(retention)).toEqual({
      logFiles: 0,
      dataFiles: 0,
      oldestVersion: -1,
    });
  });
});
