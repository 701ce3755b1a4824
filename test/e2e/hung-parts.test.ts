import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectPipeline } from "../../targets/local/control-client.ts";
import { dataDirectory, runningProcess } from "../../targets/local/data-directory.ts";
import { childrenOf, findServer } from "../../targets/local/postgres-process.ts";
import { temporaryPipeline } from "./command-line-fixture.ts";
import { pizzaInProcess, quickPizza } from "./command-line-in-process.ts";

const { dir, remove } = temporaryPipeline();
const folder = dataDirectory(dir);
const run = (...args: string[]) => quickPizza(dir, ...args);

beforeAll(async () => {
  await run("start");
  await run("produce", "--from", "2026-09-01", "--orders", "60", "--faults", "unknown_pizza=0.1", "--wait");
});

afterAll(async () => {
  await run("clean", "--yes");
  remove();
});

/** The status as JSON with the exit code of `--check`, and how many seconds it took. */
async function check() {
  const started = performance.now();
  const { code, stdout } = await pizzaInProcess("status", "--check", "--json", "--dir", dir);
  return { code, seconds: (performance.now() - started) / 1000, status: JSON.parse(stdout) };
}

/** A line of a status without what it says only sometimes. */
const withoutOptions = (line: string) => line.replace(" without <n> whose amount is unreadable", "");

const signal = (name: NodeJS.Signals, ...pids: number[]) => pids.forEach((pid) => process.kill(pid, name));

describe("status answers within five seconds", () => {
  it("when all is well: it says what is open, and that it needs attention", async () => {
    const { code, status } = await check();
    expect(code).toBe(4);
    expect(status).toMatchObject({ notAnswering: [], process: { state: "running" } });
    expect(status.quarantine.open.events).toBe(status.quarantine.events);
    expect(status.quarantine.open.cents).toBeGreaterThan(0);
  });

  it("with the lines that the documentation shows", async () => {
    expect(await run("run", "data_quality")).toMatchObject({ code: 0 });
    const page = readFileSync("docs/command-line.md", "utf8").split("$ ./pizza status\n")[1]!.split("```")[0]!;
    const shape = (text: string) =>
      text
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
        .replaceAll(/\/\S+/g, "<folder>")
        .replaceAll(/\d(?:[\d,.]*\d)?/g, "<n>")
        .replaceAll(/\b[a-z]{3}-<n>/g, "<store>")
        .replaceAll(/<n> (?:s|min|h|d) ago/g, "<age>")
        .trimEnd()
        .split("\n")
        .filter((line) => !line.startsWith("workflow"));
    const shown = shape(await pizzaInProcess("status", "--dir", dir).then(({ stdout }) => stdout));
    expect(shown.map(withoutOptions)).toEqual(shape(page).map(withoutOptions));
  });

  it("when PostgreSQL hangs, and says since when", async () => {
    const { pid } = findServer(join(folder.postgres, "data"))!;
    const all = [pid, ...childrenOf(pid)];
    const before = new Date().toISOString();
    signal("SIGSTOP", ...all);
    try {
      const { code, seconds, status } = await check();
      expect(seconds).toBeLessThan(5);
      expect({ code, gold: status.gold, silver: status.silver.days }).toMatchObject({ code: 5, gold: null });
      expect(status.silver.days).toBeGreaterThan(0);
      const [{ part, since }] = status.notAnswering;
      expect(part).toBe("PostgreSQL");
      expect((await check()).status.notAnswering).toEqual([{ part, since }]);
      const doctor = await pizzaInProcess("doctor", "--dir", dir);
      expect(doctor).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^wrong {2}pipeline .*PostgreSQL does not/m),
      });
      expect(since > before).toBe(true);
    } finally {
      signal("SIGCONT", ...all);
    }
    await expect.poll(async () => (await check()).status.notAnswering).toEqual([]);
  });

  it("when DuckDB is in a cross join, which it names", async () => {
    const cancel = new AbortController();
    const sql = "select count(*) from range(100000000000) as a, range(100000) as b";
    const query = connectPipeline(folder).query({ sql, lake: true }, cancel.signal);
    query.catch(() => {});
    try {
      const busy = async () => {
        const { seconds, status } = await check();
        expect(seconds).toBeLessThan(5);
        return (status.ongoing as { operation: string }[]).map(({ operation }) => operation);
      };
      await expect.poll(busy, { interval: 1000 }).toEqual(["query"]);
    } finally {
      cancel.abort();
    }
    await expect(query).rejects.toThrow("does not answer");
  });

  it("when the process is stopped by a signal", async () => {
    const { pid } = runningProcess(folder)!;
    signal("SIGSTOP", pid);
    try {
      const { code, seconds, status } = await check();
      expect(seconds).toBeLessThan(5);
      expect(code).toBe(6);
      expect(status.process).toMatchObject({ pid, state: "hung" });
      expect(status.problems[0].happened).toContain("a signal such as SIGSTOP has stopped it");
    } finally {
      signal("SIGCONT", pid);
    }
  });

  it("when the process was killed, which is not the same as stopped", async () => {
    const { pid } = runningProcess(folder)!;
    signal("SIGKILL", pid);
    await expect.poll(() => runningProcess(folder)).toBeUndefined();
    const killed = await pizzaInProcess("status", "--check", "--timeout", "60", "--dir", dir);
    expect(killed).toMatchObject({
      code: 6,
      stdout: expect.stringMatching(/^PROBLEM {5}The pipeline was killed: process/),
    });
    expect(await run("start")).toMatchObject({ code: 0 });
    expect(await run("stop")).toMatchObject({ code: 0 });
    const stopped = await pizzaInProcess("status", "--check", "--timeout", "60", "--dir", dir);
    expect(stopped).toMatchObject({ code: 6, stdout: expect.stringContaining(`${dir}, not running`) });
    expect(stopped.stdout).not.toContain("killed");
  });

  it("when a file of the lake cannot be read to its end", async () => {
    const pointer = join(folder.lake, "silver", "order_lines", "_delta_log", "_last_checkpoint");
    const isThere = existsSync(pointer);
    if (isThere) renameSync(pointer, `${pointer}.kept`);
    execFileSync("mkfifo", [pointer]);
    try {
      const { code, seconds, status } = await check();
      expect(seconds).toBeLessThan(5);
      expect(code).toBe(6);
      expect(status.silver).toBeNull();
      expect(status.notAnswering).toEqual([{ part: "the lake's folder", since: expect.any(String) }]);
    } finally {
      rmSync(pointer);
      if (isThere) renameSync(`${pointer}.kept`, pointer);
    }
  });
});
