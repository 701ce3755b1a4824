import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  localStackDirectory,
  removeRunning,
  writeRunning,
  type LocalStackDirectory,
} from "../targets/localstack-directory.ts";
import { makeFolders, removeRun } from "./data-folder.ts";
import { serverEnvironment } from "./environment.ts";
import { answersAsLocalStack, sessionOf } from "./health.ts";
import { keepPostgres } from "./keep-postgres.ts";
import { keepSchedules } from "./schedules.ts";

const startSeconds = 120;
/** LocalStack persists nothing, so a short time for an orderly shutdown is enough. */
const stopSeconds = 5;
const pollMs = 1000;
/** Failed polls in a row before an external LocalStack counts as gone: a busy one may miss some. */
const missedPolls = 15;

/**
 * Supervises LocalStack and its PostgreSQL until a signal stops it: `node localstack/serve.ts <dir> <port>`. With the
 * address of an external LocalStack instead of the port, supervises PostgreSQL and the schedules for it until it is
 * gone.
 */
async function serveScript(directory: LocalStackDirectory, where: string): Promise<void> {
  const stopped = untilSignal();
  // LocalStack loses its data on a stop, so gold must not refer to versions of a silver that no longer exists.
  removeRun(directory);
  makeFolders(directory);
  const log = (line: string): void => console.error(`${new Date().toISOString()} ${line}`);
  const postgres = await keepPostgres(directory.postgres, log);
  const localStack = /^\d+$/.test(where) ? startLocalStack(directory, Number(where)) : watchExternal(where);
  const { endpoint } = localStack;
  try {
    const early = await Promise.race([stopped, localStack.ended, postgres.ended, untilHealthy(endpoint)]);
    if (early !== "healthy") throw new Error(`${early} before LocalStack was ready: see the lines above`);
    writeRunning(directory, {
      endpoint,
      databaseUrl: postgres.databaseUrl,
      ...(localStack.isOthers && { isOthers: true }),
    });
    log(localStack.isOthers ? `PostgreSQL is ready for ${endpoint}` : `LocalStack is ready at ${endpoint}`);
    const schedules = keepSchedules({ endpoint, log });
    log(`${await Promise.race([stopped, localStack.ended, postgres.ended])}: stopping`);
    await schedules.stop();
  } finally {
    removeRunning(directory);
    await Promise.all([localStack.stop(), postgres.stop()]);
    removeRun(directory);
  }
}

function startLocalStack(directory: LocalStackDirectory, port: number) {
  const child = spawn(directory.python, ["-m", "localstack.runtime.main"], {
    cwd: directory.root,
    env: serverEnvironment(directory, port),
    stdio: "inherit",
  });
  const ended = once(child, "exit").then(([code, signal]) => `LocalStack exited (${code ?? signal})`);
  return { endpoint: `http://127.0.0.1:${port}`, isOthers: false, ended, stop: () => end(child) };
}

/** An external LocalStack ends when it is stopped or restarted: both lose its data. */
function watchExternal(endpoint: string) {
  const watching = new AbortController();
  const ended = (async () => {
    const session = await sessionOf(endpoint);
    for (let missed = 0; missed < missedPolls; await sleep(pollMs)) {
      if (watching.signal.aborted) return "stopped";
      const now = await sessionOf(endpoint);
      if (now !== undefined && now !== session) break;
      missed = (await answersAsLocalStack(endpoint)) ? 0 : missed + 1;
    }
    return `LocalStack at ${endpoint} is gone`;
  })();
  return { endpoint, isOthers: true, ended, stop: async () => watching.abort() };
}

function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
  });
}

async function untilHealthy(endpoint: string): Promise<"healthy"> {
  for (const until = Date.now() + startSeconds * 1000; Date.now() < until; await sleep(100)) {
    if (await answersAsLocalStack(endpoint)) return "healthy";
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

const [, , dir, where] = process.argv;
await serveScript(localStackDirectory(dir), where!);
process.exit();
