import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openEventLog } from "../../../targets/local/event-log.ts";
import { script } from "../../e2e/command-line-fixture.ts";
import { pizzaInProcess } from "../../e2e/command-line-in-process.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "pizza-logs-"));
  mkdirSync(join(dir, "logs"));
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
  const entries = [
    { at: "2026-01-01T00:00:00.000Z", level: "error", event: "gap", text: "long ago" },
    { at: hourAgo, level: "info", event: "pipeline", text: "an hour ago" },
    { at: hourAgo, level: "alert", event: "alert", text: "red\nwhat to do" },
  ];
  writeFileSync(join(dir, "logs", "events.log"), entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
});
afterAll(() => rmSync(dir, { recursive: true }));

const texts = async (...words: string[]) => {
  const { stdout } = await pizzaInProcess("logs", "--dir", dir, "--json", ...words);
  return (JSON.parse(stdout) as { text: string }[]).map(({ text }) => text);
};

it("selects entries by number, time and level", async () => {
  expect(await texts("--lines", "1")).toEqual(["red\nwhat to do"]);
  expect(await texts("--since", "2h")).toEqual(["an hour ago", "red\nwhat to do"]);
  expect(await texts("--since", "2026-01-01", "--level", "error")).toEqual(["long ago", "red\nwhat to do"]);
  const { stdout } = await pizzaInProcess("logs", "--dir", dir, "--lines", "3");
  expect(stdout).toMatch(/^\S+Z ERROR long ago\n\S+Z INFO {2}an hour ago\n\S+Z ALERT red\n {4}what to do\n$/);
  expect(await pizzaInProcess("logs", "--dir", dir, "--since", "soon")).toMatchObject({ code: 2 });
});

it("follows the log, also after it was rotated", async () => {
  const child = spawn(process.execPath, [script, "logs", "--follow", "--lines", "1", "--dir", dir]);
  let shown = "";
  child.stdout.on("data", (chunk: Buffer) => (shown += chunk.toString()));
  await expect.poll(() => shown).toContain("what to do");
  const { log, flush } = openEventLog({ logs: join(dir, "logs") }, { mostBytes: 500, keptFiles: 3 });
  for (let number = 1; number <= 6; number++) {
    log(`entry ${number}`);
    await flush();
  }
  await expect.poll(() => shown).toContain("entry 6");
  expect(shown.match(/entry \d/g)).toEqual([1, 2, 3, 4, 5, 6].map((number) => `entry ${number}`));
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([0, null]);
});
