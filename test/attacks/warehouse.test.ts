import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Finding } from "../../pipeline/domain/receipt.ts";
import { connectPipeline } from "../../targets/local/control-client.ts";
import { dataDirectory, runningProcess } from "../../targets/local/data-directory.ts";
import { connectionString, readCredentials } from "../../targets/local/postgres-credentials.ts";
import { findServer, stopServer } from "../../targets/local/postgres-process.ts";
import { isRunning } from "../../targets/local/machine.ts";
import { pizza, temporaryPipeline } from "../e2e/command-line-fixture.ts";
import { ownOrder, put } from "./attack.ts";

const { dir, remove } = temporaryPipeline();
const folder = dataDirectory(dir);
const pipeline = connectPipeline(folder);
let running: { pid: number; port: number; token: string };
let owner: pg.Client;

/** In a separate process, which can be killed together with its running queries. */
beforeAll(async () => {
  const { code, stderr } = await pizza(dir, "start");
  if (code !== 0) throw new Error(`./pizza start failed: ${stderr}`);
  running = runningProcess(folder)!;
  owner = new pg.Client({ connectionString: connectionString((await readCredentials(folder.postgres))!, "owner") });
  // It may end with its server.
  owner.on("error", () => {});
  await owner.connect();
  await put(pipeline, JSON.stringify(ownOrder()));
  await pipeline.drain();
});

afterAll(async () => {
  await owner.end();
  if (isRunning(running.pid)) process.kill(running.pid, "SIGKILL");
  while (isRunning(running.pid)) await sleep(5);
  const data = join(folder.postgres, "data");
  const server = findServer(data);
  if (server !== undefined) await stopServer(data, server.pid);
  remove();
});

describe("a reader that takes every lock that it can", () => {
  let isHeldUp = false;

  beforeAll(async () => {
    const reader = new pg.Client({ connectionString: (await pipeline.credentials()).url });
    await reader.connect();
    const { rows } = await reader.query("select pg_backend_pid() as pid");
    // January 2015. A statement that is not permitted holds up nobody.
    const days = "generate_series(date '2015-01-01' - date '2000-01-01', date '2015-01-31' - date '2000-01-01') day";
    await reader.query("set statement_timeout = 0").catch(() => {});
    await reader.query(`select pg_advisory_lock(4101, day), pg_advisory_lock(4102, day) from ${days}`).catch(() => {});
    await put(pipeline, JSON.stringify(ownOrder()));
    const way = { isAtItsEnd: false };
    const drained = pipeline.drain().then(() => (way.isAtItsEnd = true));
    while (!way.isAtItsEnd && !isHeldUp) {
      isHeldUp = await waitsFor(rows[0].pid);
      await sleep(10);
    }
    await reader.end();
    await drained;
  });

  /** Whether a session waits for a lock of this one. */
  async function waitsFor(pid: number): Promise<boolean> {
    const waiting = "select 1 from pg_stat_activity where $1 = any (pg_blocking_pids(pid))";
    return (await owner.query(waiting, [pid])).rows.length > 0;
  }

  it("does not block publishing", () => {
    expect(isHeldUp).toBe(false);
  });
});

describe("a table of gold", () => {
  const damages = {
    "was renamed": {
      damage: "alter table gold.hourly_trends rename to hourly_trends_away",
      mend: "alter table gold.hourly_trends_away rename to hourly_trends",
    },
    "lost its primary key": {
      damage: "alter table gold.hourly_trends drop constraint hourly_trends_pkey",
      mend: "alter table gold.hourly_trends add primary key (order_date, hour)",
    },
  };
  type Damage = keyof typeof damages;
  const found: Record<string, Finding[] | Error> = {};

  beforeAll(async () => {
    for (const [name, { damage, mend }] of Object.entries(damages)) {
      await owner.query(damage);
      found[name] = await pipeline.verify().then(
        ({ findings }) => findings,
        (error: Error) => error,
      );
      await owner.query(mend);
    }
  });

  it.each(Object.keys(damages) as Damage[])("that %s is named in a finding of the receipt", (name) => {
    const named = expect.stringContaining("gold.hourly_trends");
    expect(found[name]).toContainEqual(expect.objectContaining({ sentence: named }));
  });
});

describe.skipIf(!existsSync("/proc/self/task"))("an endless lake query", () => {
  const endless = "select sum(hash(a.range, b.range)) as sum from range(1000000) a cross join range(1000000) b";
  const ended: Record<string, boolean> = {};

  beforeAll(async () => {
    const request = await askEndlessly();
    request.abort();
    ended["cancelled"] = await comesToRest();
    await askEndlessly();
    await pipeline.stop();
    ended["stopped"] = await isGone();
  });

  /** Resolves once the pipeline's process computes the query. */
  async function askEndlessly(): Promise<AbortController> {
    const request = new AbortController();
    const before = cpuSeconds();
    fetch(`http://127.0.0.1:${running.port}/query`, {
      method: "POST",
      headers: { authorization: `Bearer ${running.token}` },
      body: JSON.stringify({ sql: endless, lake: true }),
      signal: request.signal,
    }).catch(() => {});
    while (cpuSeconds() < before + 0.3) await sleep(10);
    return request;
  }

  /** True when none of its threads computes; false once it has computed for another second. */
  async function comesToRest(): Promise<boolean> {
    const before = cpuSeconds();
    for (let quiet = 0; quiet < 10; quiet = computes() ? 0 : quiet + 1) {
      if (cpuSeconds() > before + 1) return false;
      await sleep(20);
    }
    return true;
  }

  /** True when the process has exited; false once it has used two more seconds of CPU. */
  async function isGone(): Promise<boolean> {
    const before = cpuSeconds();
    while (isRunning(running.pid)) {
      if (cpuSeconds() > before + 2) return false;
      await sleep(20);
    }
    return true;
  }

  /** CPU time of the pipeline's process so far. */
  function cpuSeconds(): number {
    const [user, system] = stateOf(`/proc/${running.pid}/stat`).slice(11, 13);
    return (Number(user) + Number(system)) / 100;
  }

  function computes(): boolean {
    const tasks = `/proc/${running.pid}/task`;
    return readdirSync(tasks).some((task) => stateOf(`${tasks}/${task}/stat`)[0] === "R");
  }

  /** Fields from the state on; a process or a thread that has ended meanwhile has none. */
  function stateOf(path: string): string[] {
    try {
      const status = readFileSync(path, "utf8");
      return status.slice(status.lastIndexOf(")") + 2).split(" ");
    } catch {
      return [];
    }
  }

  it("is interrupted when its request is cancelled", () => {
    expect(ended["cancelled"]).toBe(true);
  });

  it("does not prevent the pipeline from stopping", () => {
    expect(ended["stopped"]).toBe(true);
  });
});
