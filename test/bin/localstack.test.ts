import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeFolders } from "../../localstack/data-folder.ts";
import { localStackDirectory } from "../../targets/localstack-directory.ts";
import { start } from "../../localstack/start.ts";

const dir = mkdtempSync(join(tmpdir(), "pizza-localstack-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function control(...args: string[]) {
  const env = { ...process.env, AWS_ENDPOINT_URL: undefined, DATABASE_URL: undefined };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["bin/localstack.ts", ...args, "--dir", dir], {
    env,
  });
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

test("stop succeeds if nothing is running", () => {
  expect(control("stop", "--json")).toMatchObject({ status: 0, stdout: '{\n  "stopped": false\n}\n' });
  expect(control("status")).toMatchObject({ status: 0, stdout: "LocalStack is not running\n" });
});

test("the state file of a process that has exited is ignored", () => {
  makeFolders(localStackDirectory(dir));
  const gone = spawnSync(process.execPath, ["-e", ""]).pid;
  writeFileSync(join(dir, "state.json"), JSON.stringify({ pid: gone, endpoint: "http://127.0.0.1:1" }));
  expect(JSON.parse(control("status", "--json").stdout)).toEqual({ running: false });
});

test.each([[], ["begin"], ["start", "twice"], ["start", "--port", "0"], ["start", "--what"]])(
  "%s is wrong usage",
  (...args) => {
    expect(control(...args).status).toBe(2);
  },
);

test("a port in use is reported before anything is installed", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const said: string[] = [];
  try {
    await expect(start(localStackDirectory(dir), { port, say: (line) => said.push(line) })).rejects.toThrow(
      `port ${port} is in use: stop the program that listens there, or choose --port`,
    );
    expect(said).toEqual([]);
  } finally {
    other.close();
  }
});

test("LocalStack starts without Docker only on Linux; the error elsewhere names the alternative", async () => {
  const started = start(localStackDirectory(dir), { port: 1, say: () => {}, platform: "darwin" });
  await expect(started).rejects.toThrow("LocalStack without Docker runs only on Linux, and this is darwin: use Docker");
});
