import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openEventLog, readEventLog } from "../../../targets/local/event-log.ts";

let logs: string;
beforeEach(() => void (logs = mkdtempSync(join(tmpdir(), "pizza-log-"))));
afterEach(() => rmSync(logs, { recursive: true }));

it("keeps entries in order, with time, level and kind", async () => {
  const { log, flush } = openEventLog({ logs });
  log("ready");
  log("rejected 2 events", { level: "warning", event: "rejected" });
  await flush();
  expect(readEventLog({ logs })).toEqual([
    { at: expect.stringMatching(/^\d{4}-.*Z$/), level: "info", event: "pipeline", text: "ready" },
    { at: expect.any(String), level: "warning", event: "rejected", text: "rejected 2 events" },
  ]);
});

it("never grows beyond its files, and keeps the newest entries", async () => {
  const limits = { mostBytes: 1000, keptFiles: 2 };
  const { log, flush } = openEventLog({ logs }, limits);
  for (let number = 0; number < 100; number++) {
    log(`entry ${number}`);
    await flush();
  }
  const names = readdirSync(logs).toSorted();
  expect(names).toEqual(["events.log", "events.log.1", "events.log.2"]);
  for (const name of names) expect(statSync(join(logs, name)).size).toBeLessThanOrEqual(limits.mostBytes);
  const texts = readEventLog({ logs }).map(({ text }) => text);
  expect(texts.at(-1)).toBe("entry 99");
  expect(texts).toEqual(texts.map((_, index) => `entry ${100 - texts.length + index}`));
});

it("shows what the process printed as it crashed, and leaves a truncated line out", () => {
  writeFileSync(join(logs, "home.log"), "pizza: the port is in use\n");
  writeFileSync(
    join(logs, "events.log"),
    '{"at":"2026-01-01T00:00:00.000Z","level":"info","event":"a","text":"b"}\n{"at":',
  );
  expect(readEventLog({ logs }).map(({ level, text }) => [level, text])).toEqual([
    ["info", "b"],
    ["error", "pizza: the port is in use"],
  ]);
});

it("does not stop the pipeline when its folder is lost", async () => {
  const { log, flush } = openEventLog({ logs });
  rmSync(logs, { recursive: true });
  log("nobody reads this");
  await expect(flush()).resolves.toBeUndefined();
  writeFileSync(logs, "");
});
