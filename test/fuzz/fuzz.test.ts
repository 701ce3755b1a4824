import { hash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Pipeline } from "../../targets/operations.ts";
import { openLocalPipeline } from "../../targets/local/open.ts";
import { temporaryPipeline } from "../e2e/command-line-fixture.ts";
import { prepareLocalPipeline } from "../support/prepared-postgres.ts";
import type { SentRecord } from "./check-outcome.ts";
import { fuzzPipeline, lakeProblems, type FuzzResult } from "./fuzz-pipeline.ts";
import { makeRecords } from "./make-records.ts";

const [seed, records] = [1, 250];
const { dir, remove } = temporaryPipeline();
let pipeline: Pipeline;
let result: FuzzResult;

beforeAll(async () => {
  await prepareLocalPipeline(dir);
  pipeline = await openLocalPipeline({ dir });
  result = await fuzzPipeline(pipeline, { dir, seed, records });
});

afterAll(async () => {
  await pipeline.close();
  remove();
});

it("has every event of random records in silver or in the quarantine, once, and the receipt balances", () => {
  expect(result.problems).toEqual([]);
  expect(result.records).toBe(records);
});

it("makes the same records from the same seed", () => {
  const digest = () => hash("sha256", Buffer.concat([...makeRecords(7, 80)].map(({ data }) => data)));
  expect(digest()).toBe(digest());
});

it.each<[string, (record: SentRecord) => Partial<SentRecord>, string]>([
  [
    "an order",
    ({ valid: [event] }) => ({ valid: [{ ...event!, orderId: "lost" }] }),
    "order lost is 0 times in silver",
  ],
  ["a later revision", ({ valid: [event] }) => ({ valid: [{ ...event!, revision: 9 }] }), "not 9"],
  ["an invalid event", ({ rejected }) => ({ rejected: rejected! + 1 }), "rows in the quarantine for"],
  ["a damaged order", () => ({ shown: ["lost"] }), "order lost is lost"],
  ["all of its orders", () => ({ allOrNone: ["lost"] }), "1 of 1 orders, 0 rows"],
])("misses %s that is not where it must be", async (_, change, problem) => {
  const wrong = result.sent.map((record) => {
    return record === result.sent.find(({ kind }) => kind === "one event") ? { ...record, ...change(record) } : record;
  });
  expect((await lakeProblems(dir, wrong)).join("\n")).toContain(problem);
});
