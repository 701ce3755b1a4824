import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";

const preload = "--require=./localstack/loopback-only.cjs";
const listener = (args: string) =>
  `require("node:net").createServer().listen(${args}, function () { console.log(JSON.stringify(this.address())); })`;

test.each(["0", '0, "0.0.0.0"', '{ port: 0, host: "::" }', "{ port: 0 }", '0, "::", 511', "undefined"])(
  "listen(%s) listens on loopback only",
  async (args) => {
    const child = spawn(process.execPath, [preload, "-e", listener(args)]);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    child.kill();
    expect(JSON.parse(line.toString())).toMatchObject({ address: "127.0.0.1" });
  },
);

test("a process exits when its parent does", async () => {
  const inner = `console.log(process.pid); ${listener("0")}`;
  const outer = `require("node:child_process").spawn(process.execPath, [${JSON.stringify(preload)}, "-e", ${JSON.stringify(inner)}], { stdio: ["ignore", 1, 2], detached: true })`;
  const child = spawn(process.execPath, ["-e", outer]);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const pid = Number.parseInt(line.toString(), 10);
  expect(isAlive(pid)).toBe(true);
  child.kill("SIGKILL");
  for (let waited = 0; isAlive(pid) && waited < 1_000; waited++) await sleep(50);
  expect(isAlive(pid)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
