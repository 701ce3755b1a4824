import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, afterEach, describe, expect, it } from "vitest";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import { landRecords } from "../../../pipeline/bronze/land-records.ts";
import { openSilver, orderStream } from "../../../pipeline/silver/tables.ts";
import type { WorkflowRunState } from "../../../pipeline/ports.ts";
import { startWorkflow, type WorkflowContext } from "../../../pipeline/workflows/start-workflow.ts";
import { record } from "../silver/refine-fixture.ts";

const hour = 3_600_000;
let dir: string;
let now: number;
let place: WorkflowContext;
let started: { workflow: string; name: string; input: object }[];
let runs: WorkflowRunState[];

/** A starter whose execution names are unique, as in Step Functions. */
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "pizza-start-"));
  now = Date.parse("2026-11-23T07:10:00Z");
  started = [];
  runs = [];
  const store = openFolderStore(join(dir, "lake"));
  const clock = () => now;
  place = {
    store,
    onFailure: openFolderStore(join(dir, "on-failure")),
    stream: orderStream,
    silver: openSilver({ store, clock }),
    clock,
    starter: {
      async start(execution) {
        const isKnown = started.some(
          ({ workflow, name }) => workflow === execution.workflow && name === execution.name,
        );
        if (isKnown) return "already started";
        started.push(execution);
        runs.push({ startedAt: now, hasFailed: false });
        return "started";
      },
      newest: async () => runs.at(-1),
    },
  };
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const start = (workflow: string, input = {}) => startWorkflow(place, { workflow, input });
const land = (sequenceNumber: number) =>
  landRecords({ ...place, stream: orderStream }, [record(sequenceNumber, "x", { arrivedAt: now })]);

/** Ends the newest run now. */
const end = (how: { hasFailed: boolean }) => Object.assign(runs.at(-1)!, { endedAt: now, ...how });
const minute = 60_000;

describe("starting a workflow by schedule", () => {
  it("starts once on the same bronze, and again once something has landed", async () => {
    await land(1);
    expect(await start("bronze_to_silver")).toMatchObject({ outcome: "started" });
    now += 60_000;
    expect(await start("bronze_to_silver")).toMatchObject({ outcome: "already started" });
    await land(2);
    expect(await start("bronze_to_silver")).toMatchObject({ outcome: "started" });
    expect(started.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^2026-11-23T07-v[0-9a-f]{12}$/),
      expect.stringMatching(/^2026-11-23T07-v[0-9a-f]{12}$/),
    ]);
  });

  it("starts once landing has sent a batch to the on-failure destination", async () => {
    await start("bronze_to_silver");
    await place.onFailure.put("aws/lambda/orders/batch", Buffer.from("{}"));
    expect(await start("bronze_to_silver")).toMatchObject({ outcome: "started" });
  });

  it("starts once in every new hour even without a change", async () => {
    await land(1);
    const names = [];
    for (let i = 0; i < 4; i++, now += hour) names.push((await start("bronze_to_silver")).execution.slice(0, 13));
    expect(names).toEqual(["2026-11-23T07", "2026-11-23T08", "2026-11-23T09", "2026-11-23T10"]);
    expect(started).toHaveLength(4);
  });

  const commit = (readVersion: number) =>
    place.silver.commit({
      readVersion,
      operation: "WRITE",
      adds: [],
      removes: [],
      transactions: [{ appId: `bronze/${readVersion}`, version: 0, lastUpdated: now }],
      operationMetrics: {},
    });

  it("names a run of silver_to_gold by silver's version", async () => {
    expect(await start("silver_to_gold")).toMatchObject({ execution: "empty", outcome: "started" });
    await commit(-1);
    expect(await start("silver_to_gold")).toMatchObject({ execution: "2026-11-23T07-v0", outcome: "started" });
    expect(await start("silver_to_gold")).toMatchObject({ outcome: "already started" });
    await commit(0);
    expect(await start("silver_to_gold")).toMatchObject({ execution: "2026-11-23T07-v1", outcome: "started" });
  });

  it("does not resume a paused database: two hours after a commit, silver_to_gold starts once a day", async () => {
    await commit(-1);
    for (let i = 0; i < 30; i++, now += hour) await start("silver_to_gold");
    expect(started.map(({ name }) => name)).toEqual([
      "2026-11-23T07-v0",
      "2026-11-23T08-v0",
      "2026-11-23-v0",
      "2026-11-24-v0",
    ]);
    await commit(0);
    expect(await start("silver_to_gold")).toMatchObject({ outcome: "started" });
  });

  it("names the other workflows only by time, and data_quality by the day", async () => {
    expect(await start("data_quality")).toMatchObject({ execution: "2026-11-23" });
    expect(await start("backup")).toMatchObject({ execution: "2026-11-23T07" });
    now += hour;
    expect(await start("data_quality")).toMatchObject({ outcome: "already started" });
    expect(await start("backup")).toMatchObject({ outcome: "started" });
  });

  it("makes a full sweep at the beginning of an hour, and publishes rows by customer when they are due", async () => {
    await start("bronze_to_silver", { sweep: "full" });
    now += 50 * 60_000;
    await start("bronze_to_silver", { sweep: "full" });
    await start("silver_to_gold", { customers: "now" });
    expect(started.map(({ input }) => input)).toEqual([
      { sweep: "recent" },
      { sweep: "full" },
      { customers: "when due" },
    ]);
  });
});

describe("a workflow whose run failed", () => {
  it("is retried ten minutes after the failure, even without new work, until a retry succeeds", async () => {
    await land(1);
    await start("bronze_to_silver");
    now += minute;
    end({ hasFailed: true });
    now += 9 * minute;
    expect(await start("bronze_to_silver")).toMatchObject({ outcome: "already started" });
    now += minute;
    expect(await start("bronze_to_silver")).toMatchObject({
      outcome: "started",
      execution: expect.stringMatching(/^2026-11-23T07-v[0-9a-f]{12}-after-2026-11-23T07-10-00$/) as string,
    });
    expect(started.at(-1)!.input).toEqual({ sweep: "full" });
    end({ hasFailed: false });
    now += 20 * minute;
    expect(await start("bronze_to_silver")).toMatchObject({ outcome: "already started" });
    expect(started).toHaveLength(2);
  });

  it("is retried at most six times an hour, as long as it fails", async () => {
    for (let i = 0; i < 24 * 60; i++, now += minute) {
      const { outcome } = await start("silver_to_gold");
      if (outcome === "started") end({ hasFailed: true });
    }
    expect(started).toHaveLength(24 * 6);
    expect(new Set(started.map(({ name }) => name)).size).toBe(24 * 6);
  });

  it("is retried once if the schedule fires twice, and not while the newest run is running", async () => {
    await start("silver_to_gold");
    end({ hasFailed: true });
    now += 10 * minute;
    expect(await start("silver_to_gold")).toMatchObject({ outcome: "started" });
    runs.pop(); // A list that does not show the newest run yet.
    expect(await start("silver_to_gold")).toMatchObject({ outcome: "already started" });
    runs.push({ startedAt: now, hasFailed: false });
    now += 30 * minute;
    expect(await start("silver_to_gold")).toMatchObject({ outcome: "already started" });
  });

  it("is not retried after a successful manual run, and retried after a failed one", async () => {
    await start("silver_to_gold");
    end({ hasFailed: true });
    runs.push({ startedAt: now + minute, endedAt: now + 2 * minute, hasFailed: false });
    now += 30 * minute;
    expect(await start("silver_to_gold")).toMatchObject({ outcome: "already started" });
    runs.push({ startedAt: now, endedAt: now, hasFailed: true });
    now += 10 * minute;
    expect(await start("silver_to_gold")).toMatchObject({ execution: "empty-after-2026-11-23T07-40-00" });
  });
});
