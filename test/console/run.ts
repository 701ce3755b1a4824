#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { say } from "../../bin/output.ts";
import { findChromium } from "./chromium.ts";

/** Drives the console's screens in Chromium. With `PIZZA_INSTALL_CHROMIUM`, as in CI, Debian's Chromium is installed first. */
const project = new URL("../..", import.meta.url).pathname;

if (findChromium() === undefined && process.env["PIZZA_INSTALL_CHROMIUM"] !== undefined) {
  const root = process.getuid?.() === 0 ? [] : ["sudo"];
  for (const words of [
    ["apt-get", "update"],
    ["apt-get", "install", "-y", "--no-install-recommends", "chromium"],
  ]) {
    const [program, ...args] = [...root, ...words];
    spawnSync(program!, args, { stdio: "inherit" });
  }
}
if (findChromium() === undefined) {
  say("skipped: the console in a browser: install Chromium (Debian: apt-get install chromium), or set PIZZA_CHROMIUM");
} else {
  const vitest = join(project, "node_modules", "vitest", "vitest.mjs");
  const env = { ...process.env, PIZZA_TEST_CONSOLE: "1" };
  const { status } = spawnSync(process.execPath, [vitest, "run", "test/console"], {
    cwd: project,
    env,
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
