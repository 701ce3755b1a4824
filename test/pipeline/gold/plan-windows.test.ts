import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { planStaleWindows } from "../../../pipeline/gold/plan-windows.ts";
import { openGoldPipeline, type GoldPipeline } from "./gold-fixture.ts";
import type { FixtureOrder } from "./silver-fixture.ts";

const days = ["2015-01-30", "2015-01-31", "2015-02-01"];
const orders = days.map((day): FixtureOrder => ({ id: day, at: `${day}T12:00:00`, lines: [["hawaiian_m", 1]] }));

/** Silver as a list of commits, each with the days that it changed. */
const log: string[][] = [];
const asked: number[] = [];
let reach = 0;
const changedSince = (version: number) => {
  asked.push(version);
  return Promise.resolve(version < reach ? undefined : new Set(log.slice(version + 1).flat()));
};

let pipeline: GoldPipeline;
beforeAll(async () => {
  pipeline = await openGoldPipeline();
});
afterAll(() => pipeline.close());
beforeEach(async () => {
  await pipeline.empty();
  log.splice(0, log.length, [], days);
  asked.length = 0;
  reach = 0;
});

const plan = (partitions: readonly string[] = days) =>
  planStaleWindows({ warehouse: pipeline.writer }, { snapshotVersion: log.length - 1, partitions, changedSince });

async function publish(version: number, windows: string[]) {
  const { customers } = await pipeline.publish(version, orders, windows);
  return customers;
}

test("the first plan has every day, one batch per month", async () => {
  const months = [["2015-01-30", "2015-01-31"], ["2015-02-01"]];
  expect(await plan()).toEqual({ silverVersion: 1, batches: months, customerBatches: months });
});

test("a published day is not planned again, except its customers until they are published", async () => {
  const customers = await publish(1, days);
  expect(await plan()).toMatchObject({ batches: [], customerBatches: [["2015-01-30", "2015-01-31"], ["2015-02-01"]] });
  await customers();
  expect(await plan()).toMatchObject({ batches: [], customerBatches: [] });
});

test("a plan has only the days that silver changed since they were published", async () => {
  await (
    await publish(1, days)
  )();
  log.push(["2015-01-31"], ["2015-01-31"]);
  expect(await plan()).toEqual({ silverVersion: 3, batches: [["2015-01-31"]], customerBatches: [["2015-01-31"]] });
});

test("a plan continues a run that stopped halfway, whatever changed since", async () => {
  await publish(1, ["2015-01-30"]);
  log.push(["2015-02-01"]);
  expect(await plan()).toMatchObject({ batches: [["2015-01-31"], ["2015-02-01"]] });
  await publish(2, ["2015-02-01"]);
  expect(await plan()).toMatchObject({ batches: [["2015-01-31"]] });
});

test("a run that crashed between planning and publishing is planned again", async () => {
  await publish(1, days);
  await plan();
  log.push(["2015-01-31"]);
  expect(await plan()).toMatchObject({ batches: [["2015-01-31"]] });
  expect(await plan()).toMatchObject({ batches: [["2015-01-31"]] });
});

test("gold's cursor never decreases", async () => {
  const cursor = () => pipeline.reader.query("select value from ops.cursor where name = 'silver_version'");
  for (const version of [10, 9]) await pipeline.writer.query("select ops.advance_cursor($1::bigint)::text", [version]);
  expect(await cursor()).toEqual([{ value: "10" }]);
});

test("a day that lost its last row is planned, so that gold removes it too", async () => {
  await publish(1, days);
  await plan();
  log.push(["2015-02-01"]);
  expect(await plan(days.slice(0, 2))).toMatchObject({ batches: [["2015-02-01"]] });
});

test("a plan reads no more of the log than necessary", async () => {
  await publish(1, days);
  await plan();
  asked.length = 0;
  log.push(["2015-02-01"]);
  await plan();
  expect(Math.min(...asked)).toBe(1);
});

test("a plan has every day if the log no longer goes back far enough", async () => {
  await publish(1, days);
  await plan();
  log.push([], ["2015-02-01"]);
  reach = 3;
  expect(await plan()).toMatchObject({ batches: [["2015-01-30", "2015-01-31"], ["2015-02-01"]] });
});
