import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { classicYear } from "../../../bin/commands/send.ts";
import { statusText } from "../../../bin/status-text.ts";
import { dueDaily } from "../../../targets/local/timer.ts";
import type { Pipeline } from "../../../targets/operations.ts";
import { openLocalPipeline } from "../../../targets/local/open.ts";
import { sendOrders, temporaryPipeline } from "../../e2e/command-line-fixture.ts";

const hour = 3_600_000;
const due = async (lastStart: number | undefined, now: number) =>
  await dueDaily(["data_quality"], { runs: { lastStart: async () => lastStart }, since: 0, clock: () => now });

describe("a workflow that runs once a day", () => {
  it("is due a day after its last run started, or a day after the pipeline was created", async () => {
    expect(await due(undefined, 23 * hour)).toEqual([]);
    expect(await due(undefined, 24 * hour)).toEqual(["data_quality"]);
    expect(await due(30 * hour, 53 * hour)).toEqual([]);
    expect(await due(30 * hour, 54 * hour)).toEqual(["data_quality"]);
  });
});

describe("a local pipeline", () => {
  const { dir, remove } = temporaryPipeline();
  let pipeline: Pipeline | undefined;
  afterEach(async () => {
    await pipeline?.close();
    remove();
  });

  /** Makes the pipeline look two days old. */
  function age(): void {
    const path = join(dir, "home.json");
    const record = JSON.parse(readFileSync(path, "utf8")) as { createdAt: string };
    writeFileSync(path, JSON.stringify({ ...record, createdAt: new Date(Date.now() - 48 * hour).toISOString() }));
  }

  async function untilRun(workflow: string) {
    for (;;) {
      const found = (await pipeline!.status()).workflows.find(
        (run) => run.workflow === workflow && run.isRunning !== true,
      );
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  it("runs it automatically, and shows it with its history even after a restart", async () => {
    await (await openLocalPipeline({ dir })).close();
    age();
    pipeline = await openLocalPipeline({ dir });
    await sendOrders(pipeline.sink, [...classicYear()].slice(0, 69));
    const first = await untilRun("data_quality");
    expect(first).toMatchObject({ earlier: [] });
    expect(first.error).toBeUndefined();
    await pipeline.run({ workflow: "data_quality" });
    await pipeline.close();
    pipeline = await openLocalPipeline({ dir });
    const status = await pipeline.status();
    const found = status.workflows.find(({ workflow }) => workflow === "data_quality")!;
    expect(found.earlier).toEqual([{ startedAt: first.startedAt, milliseconds: first.milliseconds }]);
    expect(statusText(status, [])).toMatch(/workflow {4}data_quality, .* ms; 1 earlier run, none failed/);
  });
});
