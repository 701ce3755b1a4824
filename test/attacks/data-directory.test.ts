import { lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Pipeline } from "../../targets/operations.ts";
import { dataDirectory, runningProcess, type DataDirectory } from "../../targets/local/data-directory.ts";
import { openLocalPipeline } from "../../targets/local/open.ts";
import { findServer, stopServer } from "../../targets/local/postgres-process.ts";
import { isRunning } from "../../targets/local/machine.ts";
import { pizza, temporaryPipeline } from "../e2e/command-line-fixture.ts";
import { ownOrder, put } from "./attack.ts";

/** Called when the first folder is created. */
const first = vi.hoisted(() => ({ folder: (): void => {} }));

vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  const mkdirSync = (...args: Parameters<typeof fs.mkdirSync>) => {
    first.folder();
    return fs.mkdirSync(...args);
  };
  return { ...fs, mkdirSync };
});

const { dir, remove } = temporaryPipeline();
const folder = dataDirectory(dir);
const umask = process.umask();

/** The result of a second start during the first one. */
const starts = { secrets: new Set<string>(), opened: 0, mode: 0 };
/** Files and folders of the data directory that users other than its owner may access. */
let open: { files: string[]; folders: string[] };

beforeAll(async () => {
  process.umask(0o022);
  const pipelines = await startTwice();
  starts.opened = pipelines.length;
  const pipeline = pipelines[0] ?? (await openLocalPipeline({ dir }));
  // Each is a version of silver.
  for (const day of [1, 2, 3]) {
    await put(pipeline, JSON.stringify(ownOrder({ ordered_at: `2015-01-0${day}T12:00:00-05:00` })), "rejected");
    await pipeline.drain();
  }
  open = openToOthers(folder);
  for (const each of pipelines.slice(1)) await each.close();
  await pipeline.close();
});

afterAll(() => {
  process.umask(umask);
  remove();
});

/** Opens the pipeline, and again while the first call creates its folders; returns those that opened. */
async function startTwice() {
  // Else both would be told the same one.
  vi.stubEnv("PIZZA_CUSTOMER_SECRET", undefined);
  const noteSecret = () => {
    const record = readdirSync(dir).includes("home.json") ? readFileSync(join(dir, "home.json"), "utf8") : "";
    if (record !== "") starts.secrets.add(JSON.parse(record).customerSecret);
  };
  let second: ReturnType<typeof openLocalPipeline> | undefined;
  first.folder = () => {
    first.folder = () => {};
    second = openLocalPipeline({ dir });
    second.catch(() => {});
    starts.mode = lstatSync(dir).mode;
    noteSecret();
  };
  const [early] = await Promise.allSettled([openLocalPipeline({ dir })]);
  const [late] = await Promise.allSettled([second]);
  vi.unstubAllEnvs();
  if (second === undefined) throw new Error("the second start did not begin during the first");
  noteSecret();
  return [early, late].flatMap((start) => (start.status === "fulfilled" && start.value ? [start.value] : []));
}

function openToOthers({ root }: DataDirectory): { files: string[]; folders: string[] } {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  const paths = [root, ...entries.map(({ parentPath, name }) => join(parentPath, name))];
  // PostgreSQL may delete its files meanwhile.
  const stats = paths.map((path) => ({ path, stat: lstatSync(path, { throwIfNoEntry: false }) }));
  const found = stats.filter(({ stat }) => stat !== undefined && (stat.mode & 0o077) !== 0);
  const names = (isFolder: boolean) =>
    found.filter(({ stat }) => stat!.isDirectory() === isFolder).map(({ path }) => relative(root, path) || ".");
  return { files: names(false), folders: names(true) };
}

it("two concurrent first starts create one data directory with one secret", () => {
  expect({ secrets: starts.secrets.size, opened: starts.opened }).toEqual({ secrets: 1, opened: 1 });
});

describe("the data directory", () => {
  it("can be entered only by its owner, from the moment it is created", () => {
    expect(starts.mode & 0o077).toBe(0);
    expect(open.folders).not.toContain(".");
  });

  it("has files that only their owner can read", () => {
    expect(open.files).toEqual([]);
  });
});

describe("a stream with an empty shard map", () => {
  const path = join(folder.stream, "shard-map.json");
  let message: string;

  beforeAll(async () => {
    const kept = readFileSync(path);
    writeFileSync(path, "");
    message = await openLocalPipeline({ dir }).then(
      async (pipeline) => {
        await pipeline.close();
        return "it opened";
      },
      (error: Error) => error.message,
    );
    writeFileSync(path, kept);
  });

  it("is rejected with the name of the file and what to do", () => {
    expect(message).toMatch(/shard-map\.json.*: put it back/);
  });
});

describe("a killed local pipeline", () => {
  const killed = temporaryPipeline();
  const killedFolder = dataDirectory(killed.dir);
  const data = join(killedFolder.postgres, "data");
  /** Whether PostgreSQL still runs after the command. */
  const isLeft: Record<string, boolean> = {};
  let logs: string[];

  beforeAll(async () => {
    isLeft["stop"] = await leaves("stop");
    logs = openToOthers(killedFolder).files.filter((name) => name.startsWith("logs"));
    isLeft["clean --yes"] = await leaves("clean", "--yes");
  });

  afterAll(() => killed.remove());

  async function leaves(...command: string[]): Promise<boolean> {
    const { code, stderr } = await pizza(killed.dir, "start");
    if (code !== 0) throw new Error(`./pizza start failed: ${stderr}`);
    const { pid } = runningProcess(killedFolder)!;
    const server = findServer(data)!.pid;
    process.kill(pid, "SIGKILL");
    while (isRunning(pid)) await sleep(5);
    await pizza(killed.dir, ...command);
    const isStillThere = isRunning(server);
    if (isStillThere) await end(server);
    return isStillThere;
  }

  /** Ends a server by its process id, if its folder is gone. */
  async function end(server: number): Promise<void> {
    if (findServer(data)?.pid === server) return await stopServer(data, server);
    process.kill(server, "SIGQUIT");
    while (isRunning(server)) await sleep(5);
  }

  it.each(["stop", "clean --yes"])("leaves no PostgreSQL running after ./pizza %s", (command) => {
    expect(isLeft[command]).toBe(false);
  });

  it("has a log that only its owner can read", () => {
    expect(logs).toEqual([]);
  });
});

describe("a local pipeline whose silver has lost its newest versions", () => {
  let isRejected = false;
  let sales: { silver: number; gold: number } | undefined;

  beforeAll(async () => {
    const log = join(folder.lake, "silver", "order_lines", "_delta_log");
    const commits = readdirSync(log).filter((name) => /^\d+\.json$/.test(name));
    // The next commits get the numbers of the lost ones, which gold has shown before.
    for (const lost of commits.toSorted().slice(-2)) rmSync(join(log, lost));
    const pipeline = await openLocalPipeline({ dir }).catch(() => undefined);
    try {
      await pipeline?.drain();
      if (pipeline !== undefined) sales = await sellOneMore(pipeline);
    } catch {
      // It may also be rejected after it has opened.
    }
    isRejected = sales === undefined;
    await pipeline?.close();
  });

  async function sellOneMore(pipeline: Pipeline): Promise<{ silver: number; gold: number }> {
    await put(pipeline, JSON.stringify(ownOrder({ ordered_at: "2015-01-03T13:00:00-05:00" })));
    await pipeline.drain();
    const { silver, gold } = await pipeline.verify();
    return { silver: silver.orders, gold: gold.orders };
  }

  it("is rejected, or gold shows the orders that follow", () => {
    expect(isRejected ? 4 : sales?.gold).toBe(4);
  });
});
