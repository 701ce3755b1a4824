import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { startPostgres } from "../local/postgres.ts";
import { serverEnvironment } from "./environment.ts";
import { localStackHome, makeFolders, type LocalStackHome } from "./paths.ts";
import { keepSchedules } from "./schedules.ts";
import { removeRunning, writeRunning } from "./state.ts";

/** Keeps LocalStack and its PostgreSQL until told to stop: `node localstack/serve.ts <dir> <port>`. */
const startSeconds = 120;
/** LocalStack keeps nothing, so there is nothing to wait for but its own order. */
const stopSeconds = 5;
/** Not the embedded home's, which may run beside it. */
const postgresPort = 55_433;

async function serve(home: LocalStackHome, port: number): Promise<void> {
  const stopped = untilSignal();
  forget(home);
  makeFolders(home);
  const log = (line: string): void => console.error(`${new Date().toISOString()} ${line}`);
  const postgres = await startPostgres({ dir: home.postgres, port: postgresPort, onLog: log });
  const localStack = spawn(home.python, ["-m", "localstack.runtime.main"], {
    cwd: home.root,
    env: serverEnvironment(home, port),
    stdio: "inherit",
  });
  const ended = once(localStack, "exit").then(([code, signal]) => `LocalStack ended (${code ?? signal})`);
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    const early = await Promise.race([stopped, ended, untilHealthy(endpoint)]);
    if (early !== "healthy") throw new Error(`${early} before it was ready: see the lines above`);
    writeRunning(home, { endpoint, databaseUrl: postgres.connectionString("owner") });
    log(`LocalStack is ready at ${endpoint}`);
    const schedules = keepSchedules({ endpoint, log });
    log(`${await Promise.race([stopped, ended])}: stopping`);
    await schedules.stop();
  } finally {
    removeRunning(home);
    await Promise.all([end(localStack), postgres.stop()]);
    forget(home);
  }
}

/** LocalStack forgets all on a stop, so gold must not remember versions of a silver that is gone. */
function forget({ temporary, postgres }: LocalStackHome): void {
  for (const folder of [temporary, postgres]) rmSync(folder, { recursive: true, force: true });
}

function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
  });
}

async function untilHealthy(endpoint: string): Promise<"healthy"> {
  for (const until = Date.now() + startSeconds * 1000; Date.now() < until; await sleep(100)) {
    const answer = await fetch(`${endpoint}/_localstack/health`).catch(() => undefined);
    if (answer?.ok) return "healthy";
  }
  throw new Error(`LocalStack does not answer at ${endpoint} after ${startSeconds} s: see the lines above`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const patience = setTimeout(() => child.kill("SIGKILL"), stopSeconds * 1000);
  await gone;
  clearTimeout(patience);
}

const [, , dir, port] = process.argv;
await serve(localStackHome(dir), Number(port));
process.exit();
