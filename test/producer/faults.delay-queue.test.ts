import { expect, test } from "vitest";
import { createDelayQueue } from "../../producer/faults.ts";

test("the delay queue returns items in order of due time, and equal ones in order of insertion", () => {
  const delayQueue = createDelayQueue<string>();
  for (const [due, item] of [
    [5, "e"],
    [1, "a"],
    [3, "b"],
    [3, "c"],
    [9, "z"],
    [3, "d"],
  ] as const)
    delayQueue.add(due, item);
  expect(delayQueue.take(0)).toEqual([]);
  expect(delayQueue.take(3)).toEqual(["a", "b", "c", "d"]);
  expect(delayQueue.take(3)).toEqual([]);
  expect(delayQueue.take(5)).toEqual(["e"]);
  expect(delayQueue.take(Number.POSITIVE_INFINITY)).toEqual(["z"]);
});
