import { expect, it } from "vitest";
import { createProgressBoard } from "../../targets/progress.ts";

it("shows what has begun and not ended, and starts over after a failure", () => {
  const board = createProgressBoard();
  const verify = board.follow("verify");
  expect(board.list()).toEqual([]);
  verify(3, 10, "bronze objects");
  board.follow("backup")(1, 24, "tables");
  expect(board.list()).toEqual([
    { operation: "verify", done: 3, total: 10, unit: "bronze objects" },
    { operation: "backup", done: 1, total: 24, unit: "tables" },
  ]);
  board.follow("backup");
  verify(10, 10, "bronze objects");
  expect(board.list()).toEqual([]);
});
