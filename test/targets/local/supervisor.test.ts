import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { PipelineStatus } from "../../../targets/pipeline-api.ts";
import { startSupervisor } from "../../../targets/local/supervisor.ts";

/** Watches a pipeline whose statuses are given, until each was read; returns what it logged and sent. */
async function watch(changes: Partial<PipelineStatus>[]) {
  const folder = mkdtempSync(join(tmpdir(), "pizza-supervisor-"));
  const heartbeat = join(folder, "heartbeat");
  const [logged, sent]: [string[], string[]] = [[], []];
  const done = Promise.withResolvers<void>();
  const left = [...changes];
  const supervisor = startSupervisor({
    status: async () => {
      const change = left.shift();
      if (change === undefined) done.resolve();
      return { ...well, ...change } as PipelineStatus;
    },
    heartbeat,
    notifier: { notify: async ({ subject, text }) => void sent.push(`${subject}: ${text}`) },
    log: (text, about) => logged.push(`${about?.level ?? "info"} ${text}`),
    intervalMs: 1,
  });
  await done.promise;
  await supervisor.stop();
  const age = Date.now() - statSync(heartbeat).mtimeMs;
  rmSync(folder, { recursive: true });
  return { logged, sent, age };
}

const well = {
  at: "2026-11-30T12:00:00.000Z",
  notAnswering: [],
  setAside: [],
  workflows: [],
  quality: null,
  receipt: null,
  freshness: null,
};
const hung = { notAnswering: [{ part: "PostgreSQL", since: "2026-11-30T11:59:00.000Z" }] };

it("logs a problem once, alerts once it lasts, and says when it is over", async () => {
  const { logged, sent } = await watch([{}, hung, hung, hung, hung, hung, hung, {}]);
  const happened = "PostgreSQL does not answer since 2026-11-30T11:59:00Z.";
  expect(logged).toEqual([expect.stringContaining(`error ${happened} ./pizza restart`), `info over: ${happened}`]);
  expect(sent).toEqual([
    expect.stringMatching(`^Pizza sales: ${happened}: ${happened} What to do: ./pizza restart`),
    `Pizza sales: over: ${happened}: OK`,
  ]);
});

it("pages nobody for a busy moment, for open events, or for what data_quality has alerted", async () => {
  expect((await watch([hung, hung, hung, hung, {}])).sent).toEqual([]);
  const open = { quarantine: { events: 1, open: { events: 1, cents: 1, unreadable: 0, oldestAt: well.at } } };
  const attention = await watch([open, open, open, open, open, open]);
  expect(attention.logged[0]).toMatch(/^warning 1 rejected events are open/);
  expect(attention.sent).toEqual([]);
  const receipt = { receipt: { checkedAt: well.at, balanced: false, findings: 1 } };
  expect((await watch([receipt, receipt, receipt, receipt, receipt, receipt])).sent).toEqual([]);
});

it("keeps the heartbeat fresh", async () => {
  expect((await watch([{}, {}])).age).toBeLessThan(60_000);
});
