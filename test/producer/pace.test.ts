import { expect, test } from "vitest";
import { atSpeed, paced, sleepFor } from "../../producer/pace.ts";

test("items arrive at the rate, and overdue ones immediately", async () => {
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

test("an item is pulled from the source only when it is due", async () => {
  let now = 0;
  function* stamped(): Generator<number> {
    while (true) yield now;
  }
  const sleep = async (milliseconds: number): Promise<void> => void (now += milliseconds);
  const items = paced(stamped(), { rate: 2, clock: () => now, sleep });
  expect([(await items.next()).value, (await items.next()).value, (await items.next()).value]).toEqual([0, 500, 1000]);
});

test.each([0, -1, Number.NaN])("rate %s is rejected", async (rate) => {
  await expect(paced([1], { rate }).next()).rejects.toThrow(/rate/);
});

test("items are as far apart as their times divided by the speed", async () => {
  let now = 1000;
  const seen: [number, number][] = [];
  const sleep = async (milliseconds: number): Promise<void> => void (now += milliseconds);
  const days = 86_400_000;
  const moments = [Number.NaN, 500, 700, 400, 500 + 60 * days];
  for await (const item of atSpeed(moments, { speed: 2, momentOf: (moment) => moment, clock: () => now, sleep })) {
    seen.push([item, now]);
  }
  expect(seen).toEqual([
    [Number.NaN, 1000],
    [500, 1000],
    [700, 1100],
    [400, 1100],
    [500 + 60 * days, 1000 + 30 * days],
  ]);
});

test("no pause exceeds the longest timer", async () => {
  let now = 0;
  const pauses: number[] = [];
  const sleep = async (milliseconds: number): Promise<void> => {
    pauses.push(milliseconds);
    now += milliseconds;
  };
  const items = paced(["a", "b"], { rate: 1 / (50 * 86_400), clock: () => now, sleep });
  await items.next();
  await items.next();
  expect(Math.max(...pauses)).toBeLessThan(2 ** 31);
});

test("a signal ends the source during a pause", async () => {
  const told = new AbortController();
  const sources = [
    paced([0, 1], { rate: 0.001, signal: told.signal }),
    atSpeed([0, 1], { speed: 1e-6, momentOf: (moment) => moment, signal: told.signal }),
  ];
  for (const source of sources) expect((await source.next()).value).toBe(0);
  const ends = sources.map((source) => source.next());
  setTimeout(() => told.abort(), 20);
  expect(await Promise.all(ends)).toEqual([
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
  await sleepFor(60_000, told.signal);
});
