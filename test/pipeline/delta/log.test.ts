import { expect, it } from "vitest";
import { commitKey, findCommit, lastCheckpointKey } from "../../../pipeline/delta/log.ts";
import { createMemoryStore } from "./memory-store.ts";
import { commitSmall, dayMs, newYear, openSmall } from "./small-table.ts";

it("the search for a time's commit among many reads few of them", async () => {
  const memory = createMemoryStore();
  let now = newYear;
  const table = openSmall(memory, { clock: () => now });
  for (let day = 0; day < 60; day++, now += dayMs) {
    await commitSmall(table, { transactions: [{ appId: `object-${day}`, version: 0 }] });
  }
  let reads = 0;
  const store = { ...memory, get: (key: string) => (reads++, memory.get(key)) };
  const find = (day: number, name = `object-${day}`) =>
    findCommit({ store, root: "t" }, { notBefore: newYear + day * dayMs, holds: ({ txn }) => txn?.appId === name });
  expect(await find(41)).toEqual({ version: 41, committedAt: newYear + 41 * dayMs });
  expect(reads).toBeLessThan(10);
  expect(await find(0)).toMatchObject({ version: 0 });
  expect(await find(59)).toMatchObject({ version: 59 });
  expect(await find(50, "object-12")).toBeUndefined();
});

it.each(["", "\n", "null\n", '{"commitInfo"', "garbage"])("names a commit file that holds %j", async (text) => {
  const store = createMemoryStore();
  await commitSmall(openSmall(store), { transactions: [{ appId: "object", version: 0 }] });
  store.objects.set(commitKey("t", 0), Buffer.from(text));
  await expect(openSmall(store).snapshot()).rejects.toThrow(
    "t/_delta_log/00000000000000000000.json cannot be read; restore the file from a backup",
  );
});

it.each(["", "{", "null", "{}", '{"version":"one"}', '{"version":-7}'])(
  "reads the whole log if the hint at its last checkpoint is %j",
  async (text) => {
    const store = createMemoryStore();
    await commitSmall(openSmall(store), { transactions: [{ appId: "object", version: 0 }] });
    store.objects.set(lastCheckpointKey("t"), Buffer.from(text));
    expect((await openSmall(store).snapshot()).version).toBe(0);
  },
);
