import { expect, test } from "vitest";
import { createHold } from "../../producer/faults.ts";

test("what is due comes out in the order of its time, equal ones as they came", () => {
  const hold = createHold<string>();
  for (const [due, item] of [
    [5, "e"],
    [1, "a"],
    [3, "b"],
    [3, "c"],
    [9, "z"],
    [3, "d"],
  ] as const)
    hold.add(due, item);
  expect(hold.take(0)).toEqual([]);
  expect(hold.take(3)).toEqual(["a", "b", "c", "d"]);
  expect(hold.take(3)).toEqual([]);
  expect(hold.take(5)).toEqual(["e"]);
  expect(hold.take(Number.POSITIVE_INFINITY)).toEqual(["z"]);
});
