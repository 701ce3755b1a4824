import { expect, test } from "vitest";
import { paced } from "../../lambdas/producer/pace.ts";

test("items come at their rate, and missed ones at once", async () => {
  let now = 1000;
  const seen: [string, number][] = [];
  const sleep = async (milliseconds: number): Promise<void> => void (now += milliseconds);
  for await (const item of paced(["a", "b", "c", "d"], { rate: 10, clock: () => now, sleep })) {
    seen.push([item, now]);
    if (item === "a") now += 30;
    if (item === "b") now += 250;
  }
  expect(seen).toEqual([
    ["a", 1000],
    ["b", 1100],
    ["c", 1350],
    ["d", 1350],
  ]);
});

test("an item is made only when it is due", async () => {
  let now = 0;
  function* stamped(): Generator<number> {
    while (true) yield now;
  }
  const sleep = async (milliseconds: number): Promise<void> => void (now += milliseconds);
  const items = paced(stamped(), { rate: 2, clock: () => now, sleep });
  expect([(await items.next()).value, (await items.next()).value, (await items.next()).value]).toEqual([0, 500, 1000]);
});

test.each([0, -1, Number.NaN])("rate %s is refused", async (rate) => {
  await expect(paced([1], { rate }).next()).rejects.toThrow(/rate/);
});
