import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { localStackDirectory } from "../../targets/localstack-directory.ts";
import { watch } from "./left-behind.ts";

test("remaining files, run folders and processes are reported", async () => {
  const root = mkdtempSync(join(tmpdir(), "pizza-left-"));
  const directory = localStackDirectory(join(root, "home"));
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", `${directory.root}/kinesis`]);
  await once(child, "spawn");
  const watched = watch(directory);
  try {
    writeFileSync(join(homedir(), "notes"), "");
    writeFileSync(join(tmpdir(), "object"), "");
    mkdirSync(directory.postgres, { recursive: true });
    expect(watched.leftBehind()).toEqual([
      join(homedir(), "notes"),
      join(tmpdir(), "object"),
      directory.postgres,
      expect.stringContaining(String(child.pid)),
    ]);
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    for (const path of [join(homedir(), "notes"), join(tmpdir(), "object"), directory.postgres])
      rmSync(path, { recursive: true });
    expect(watched.leftBehind()).toEqual([]);
  } finally {
    child.kill("SIGKILL");
    watched.end();
    rmSync(root, { recursive: true });
  }
});
