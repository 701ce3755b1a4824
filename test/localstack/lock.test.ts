import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { withLock } from "../../localstack/lock.ts";
import { makeFolders } from "../../localstack/data-folder.ts";
import { localStackDirectory } from "../../targets/localstack-directory.ts";
import { stop } from "../../localstack/stop.ts";

const root = mkdtempSync(join(tmpdir(), "pizza-lock-"));
afterAll(() => rmSync(root, { recursive: true }));

test("the lock waits for a start or stop in another process and reports it once", async () => {
  const directory = localStackDirectory(join(root, "held"));
  const script = `
    import { withLock } from ${JSON.stringify(new URL("../../localstack/lock.ts", import.meta.url).pathname)};
    import { localStackDirectory } from ${JSON.stringify(new URL("../../targets/localstack-directory.ts", import.meta.url).pathname)};
    await withLock(localStackDirectory(process.argv[1]), {}, async () => {
      console.log("held");
      await new Promise((resolve) => process.stdin.once("data", resolve));
      console.log("let go");
    });
    process.exit();`;
  const other = spawn(process.execPath, ["--input-type=module", "-e", script, directory.root]);
  const heard: string[] = [];
  other.stdout.on("data", (data: Buffer) => heard.push(...data.toString().trim().split("\n")));
  await once(other.stdout, "data");
  const said: string[] = [];
  const stopped = stop(directory, (line) => said.push(line)).then((found) => {
    heard.push("stopped");
    return found;
  });
  await sleep(500);
  expect(heard).toEqual(["held"]);
  other.stdin.write("\n");
  expect(await stopped).toBe(false);
  expect(heard).toEqual(["held", "let go", "stopped"]);
  expect(said).toEqual([`process ${other.pid} is starting or stopping LocalStack here: waiting for it`]);
});

test("the lock of a process that exited is taken over by exactly one process", async () => {
  const directory = localStackDirectory(join(root, "dead"));
  makeFolders(directory);
  writeFileSync(directory.lock, JSON.stringify({ pid: spawnSync(process.execPath, ["-e", ""]).pid, started: "1" }));
  let inside = 0;
  const works = Array.from({ length: 8 }, async () => {
    await withLock(directory, {}, async () => {
      inside += 1;
      expect(inside).toBe(1);
      await sleep(5);
      inside -= 1;
    });
  });
  await Promise.all(works);
  expect(existsSync(directory.lock)).toBe(false);
});
