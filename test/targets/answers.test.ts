import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createAnswers } from "../../targets/answers.ts";

const start = Date.parse("2026-01-01T00:00:00Z");

function atTimes() {
  const time = { now: start };
  return { time, answers: createAnswers(() => time.now) };
}

describe("questions with a deadline", () => {
  it("pass an answer on, and name no part", async () => {
    const { answers } = atTimes();
    expect(await answers.within(1000)("PostgreSQL", "gold", async () => 7)).toBe(7);
    expect(answers.notAnswering()).toEqual([]);
  });

  it("give up a part that says nothing, and do not ask it the same again", async () => {
    const { time, answers } = atTimes();
    const silent = Promise.withResolvers<number>();
    let asked = 0;
    const question = () => {
      asked += 1;
      return silent.promise;
    };
    expect(await answers.within(10)("PostgreSQL", "gold", question)).toBeUndefined();
    time.now += 60_000;
    expect(await answers.within(10)("PostgreSQL", "gold", question)).toBeUndefined();
    expect(asked).toBe(1);
    expect(answers.notAnswering()).toEqual([{ part: "PostgreSQL", since: "2026-01-01T00:00:00.000Z" }]);
    silent.resolve(7);
    await sleep(0);
    expect(answers.notAnswering()).toEqual([]);
    expect(await answers.within(10)("PostgreSQL", "gold", async () => 8)).toBe(8);
  });

  it("remember since when a part fails, until it answers", async () => {
    const { time, answers } = atTimes();
    const ask = answers.within(1000);
    const fail = async () => {
      throw new Error("no such folder");
    };
    await ask("the lake", "the tables", fail);
    time.now += 60_000;
    await ask("the lake", "the tables", fail);
    expect(answers.notAnswering()).toEqual([
      { part: "the lake", since: "2026-01-01T00:00:00.000Z", error: "no such folder" },
    ]);
    await ask("the lake", "the tables", async () => {});
    expect(answers.notAnswering()).toEqual([]);
  });

  it("abort what they asked at the deadline, which does not count as a failure", async () => {
    const { answers } = atTimes();
    const until = (signal: AbortSignal) =>
      new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    expect(await answers.within(10)("DuckDB", "the quarantine", until)).toBeUndefined();
    await sleep(0);
    expect(answers.notAnswering()).toEqual([{ part: "DuckDB", since: "2026-01-01T00:00:00.000Z" }]);
  });
});
