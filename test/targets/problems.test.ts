import { describe, expect, it } from "vitest";
import type { PipelineStatus } from "../../targets/pipeline-api.ts";
import { checkCode, problemsOf } from "../../targets/problems.ts";

const at = "2026-11-30T12:00:00.000Z";

/** A pipeline that is well. */
const well: PipelineStatus = {
  at,
  dir: "/pizza",
  process: { pid: 7, port: 1, startedAt: at, state: "running" },
  notAnswering: [],
  stream: { shards: 2, shardsBehind: 0 },
  landing: { invocations: 9, errors: 0, onFailureRecords: 0 },
  setAside: [],
  silver: { version: 3, files: 1, lines: 9, days: 1 },
  quarantine: { events: 5, open: { events: 0, cents: 0, unreadable: 0, oldestAt: null } },
  gold: { silverVersion: 3, windows: 1, publishedAt: "2026-11-30T11:59:00Z", corrections: 0 },
  freshness: { orders: 9, medianSeconds: 1, p95Seconds: 2 },
  receipt: { checkedAt: "2026-11-30T06:00:00Z", balanced: true, findings: 0 },
  quality: { checkedAt: "2026-11-30T06:00:00Z", rules: 14, errors: [], warnings: [] },
  workflows: [{ workflow: "silver_to_gold", startedAt: at, milliseconds: 9, earlier: [] }],
  postgres: { host: "127.0.0.1", port: 5432 },
  disk: { freeBytes: 10 ** 10 },
};
const run = { workflow: "silver_to_gold", startedAt: "2026-11-30T11:40:00.000Z", milliseconds: 1_200_000, earlier: [] };

describe("the problems of a status", () => {
  it("is empty while everything is well, whatever the quarantine once held", () => {
    expect(problemsOf(well)).toEqual([]);
    expect(checkCode([])).toBe(0);
  });

  it.each<[string, Partial<PipelineStatus>, number, string]>([
    ["a killed process", { process: { ...well.process!, state: "killed" } }, 6, "was killed"],
    ["a process that does not answer", { process: { ...well.process!, state: "hung" } }, 6, "does not answer"],
    ["a part that hangs", { notAnswering: [{ part: "PostgreSQL", since: at }] }, 5, "PostgreSQL does not answer since"],
    ["a part that fails", { notAnswering: [{ part: "DuckDB", since: at, error: "boom" }] }, 5, "DuckDB fails since"],
    [
      "landing that fails",
      { landing: { onFailureRecords: 0, failing: { since: at, error: "the disk is full" } } },
      5,
      "Landing is behind the stream. Nothing lands since 2026-11-30T12:00:00Z: the disk is full.",
    ],
    ["a failed run", { workflows: [{ ...run, error: "no\nmore" }] }, 5, "failed after all retries. no"],
    [
      "a failed run that is being repeated",
      { workflows: [{ ...run, isRunning: true, milliseconds: 1, earlier: [{ ...run, error: "no" }] }] },
      5,
      "failed after all retries",
    ],
    [
      "a stuck run",
      { workflows: [{ ...run, isRunning: true, state: "Plan", stateSince: "2026-11-30T11:45:00.000Z" }] },
      5,
      'silver_to_gold is stuck in the state "Plan" for 15 minutes.',
    ],
    ["an object set aside", { setAside: [{ key: "k", records: 3, setAsideAt: at, reason: "bad" }] }, 5, "set a bronze"],
    ["a full disk", { disk: { freeBytes: 1024 } }, 5, "The disk is full: 0 MiB are free."],
    [
      "a receipt that does not balance",
      { receipt: { ...well.receipt!, balanced: false, findings: 2 } },
      3,
      "2 findings",
    ],
    ["a red rule", { quality: { ...well.quality!, errors: ["menu_prices"] } }, 3, "menu_prices"],
    ["a warning", { quality: { ...well.quality!, warnings: ["silent_stores"] } }, 4, "silent_stores"],
    [
      "an open rejected event",
      { quarantine: { events: 5, open: { events: 2, cents: 100, unreadable: 0, oldestAt: at } } },
      4,
      "2 rejected events are open.",
    ],
    [
      "a silent store",
      { stores: { stores: [], silent: ["store nyc-01: no order for 9 hours"] } },
      4,
      "Stores or tills are silent: store nyc-01: no order for 9 hours.",
    ],
    [
      "a check that is more than a day old",
      {
        receipt: { ...well.receipt!, checkedAt: "2026-11-28T06:00:00Z" },
        quality: { ...well.quality!, checkedAt: "2026-11-28T06:00:00Z" },
      },
      4,
      "more than a day ago",
    ],
  ])("name %s, with the code of its severity", (_, change, code, text) => {
    const problems = problemsOf({ ...well, ...change });
    expect(problems.map(({ happened }) => happened).join("\n")).toContain(text);
    expect(problems).toHaveLength(1);
    expect(checkCode(problems)).toBe(code);
    expect(problems[0]!.next).toMatch(/\.$/);
  });

  it("name a stopped pipeline, which is no fault", () => {
    const { process: _, ...stopped } = well;
    expect(checkCode(problemsOf(stopped))).toBe(6);
  });

  it("put the worst first, and its code counts", () => {
    const quarantine = { events: 5, open: { events: 2, cents: 100, unreadable: 0, oldestAt: at } };
    const problems = problemsOf({ ...well, quarantine, notAnswering: [{ part: "PostgreSQL", since: at }] });
    expect(problems.map(({ severity }) => severity)).toEqual(["broken", "attention"]);
    expect(checkCode(problems)).toBe(5);
  });

  it("leave a backup that takes an hour alone", () => {
    const backup = { ...run, workflow: "backup", isRunning: true, stateSince: "2026-11-30T11:00:00.000Z" };
    expect(problemsOf({ ...well, workflows: [backup] })).toEqual([]);
  });
});
