import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { classicYear } from "../../../bin/commands/send.ts";
import { openLocalPipeline } from "../../../targets/local/open.ts";
import type { Pipeline } from "../../../targets/operations.ts";
import { sendOrders, temporaryPipeline } from "../../e2e/command-line-fixture.ts";
import { prepareLocalPipeline } from "../../support/prepared-postgres.ts";

const { dir, remove } = temporaryPipeline();
let pipeline: Pipeline;

beforeAll(async () => {
  await prepareLocalPipeline(dir);
  pipeline = await openLocalPipeline({ dir });
  for (const part of [0, 1]) {
    await sendOrders(pipeline.sink, [...classicYear()].slice(part * 20, part * 20 + 20));
    await pipeline.drain();
  }
});

afterAll(async () => {
  await pipeline.close();
  remove();
});

it.each<[operation: string, unit: string, call: () => Promise<unknown>]>([
  ["verify", "bronze objects", () => pipeline.verify()],
  ["quality", "quality rules", () => pipeline.quality({})],
  ["backup", "tables", () => pipeline.run({ workflow: "backup" })],
])("%s says how far it is", async (operation, unit, call) => {
  const end = new AbortController();
  const ended = call().finally(() => end.abort());
  const seen = [];
  while (!end.signal.aborted) {
    seen.push(...(await pipeline.progress()));
    await nextTurn();
  }
  await ended;
  const steps = seen.filter((step) => step.operation === operation);
  expect(steps.length).toBeGreaterThan(0);
  expect(steps.every((step) => step.unit === unit && step.done < step.total)).toBe(true);
  expect(await pipeline.progress()).toEqual([]);
});
