import { expect, test } from "vitest";
import { createChoice, createRandom, hash32 } from "../../producer/random.ts";

test("a seed produces the same numbers on every machine", () => {
  const random = createRandom("golden", 7);
  expect(Array.from({ length: 5 }, () => random.integer(0, 999_999))).toEqual([975676, 153936, 28668, 909109, 400182]);
});

test("seeds with different parts differ even if the joined text is the same", () => {
  expect(createRandom("a", 11).next()).not.toBe(createRandom("a1", 1).next());
});

test("whole numbers include both limits and nothing beyond", () => {
  const random = createRandom(1);
  const seen = new Set(Array.from({ length: 1000 }, () => random.integer(3, 6)));
  expect(seen).toEqual(new Set([3, 4, 5, 6]));
});

test("a choice follows its weights and never picks an item with weight zero", () => {
  const random = createRandom(2);
  const choose = createChoice([
    ["often", 3],
    ["never", 0],
    ["seldom", 1],
  ] as const);
  const counts = { often: 0, never: 0, seldom: 0 };
  for (let i = 0; i < 10_000; i++) counts[choose(random)]++;
  expect(counts.never).toBe(0);
  expect(counts.often / 10_000).toBeCloseTo(0.75, 1);
});

test("a choice with only zero weights is rejected", () => {
  expect(() => createChoice([["nothing", 0]])).toThrow(/above 0/);
});

test("shuffling keeps every item", () => {
  const items = Array.from({ length: 50 }, (_, i) => i);
  const shuffled = createRandom(3).shuffle(items);
  expect(shuffled).not.toEqual(items);
  expect(shuffled.toSorted((a, b) => a - b)).toEqual(items);
});

test("the normal distribution has mean 0 and standard deviation 1", () => {
  const random = createRandom(4);
  const values = Array.from({ length: 20_000 }, () => random.bell());
  expect(values.reduce((a, b) => a + b) / values.length).toBeCloseTo(0, 1);
  expect(values.reduce((a, b) => a + b * b) / values.length).toBeCloseTo(1, 1);
});

test("the hash distributes tills over slots", () => {
  const slots = new Set(Array.from({ length: 36 }, (_, till) => hash32(`till-nyc-01-${till}`) % 4));
  expect(slots.size).toBe(4);
});
