import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { answersAsLocalStack, sessionOf } from "./health.ts";
import { serverEnvironment } from "./environment.ts";
import { keepPostgres } from "./keep-postgres.ts";
import { makeFolders, removeRun } from "./data-folder.ts";
import {
  localStackDirectory,
  type LocalStackDirectory,
  removeRunning,
  writeRunning,
} from "../targets/localstack-place.ts";
import { keepSchedules } from "./schedules.ts";

/**
 * Keeps LocalStack and its PostgreSQL until told to stop: `node localstack/serve.ts <dir> <port>`. With the address of a
 * LocalStack that somebody else started in place of the port, keeps PostgreSQL and the schedules beside it until it is gone.
 */
const startSeconds = 120;
/** LocalStack keeps nothing, so there is nothing to wait for but its own order. */
const stopSeconds = 5;
const lookMs = 1000;
/** Looks in a row without an answer before another's LocalStack counts as gone: a busy one may miss some. */
const missedLooks = 15;

async function serveScript(directory: LocalStackDirectory, where: string): Promise<void> {
  const stopped = untilSignal();
  // LocalStack forgets all on a stop, so gold must not remember versions of a silver that is gone.
  removeRun(directory);
  makeFolders(directory);
  const log = (line: string): void => console.error(`${new Date().toISOString()} ${line}`);
  const postgres = await keepPostgres(directory.postgres, log);
  const localStack = /^\d+$/.test(where) ? startLocalStack(directory, Number(where)) : besideLocalStack(where);
  const { endpoint } = localStack;
  try {
    const early = await Promise.race([stopped, localStack.ended, postgres.ended, untilHealthy(endpoint)]);
    if (early !== "healthy") throw new Error(`${early} before it was ready: see the lines above`);
    writeRunning(directory, {
      endpoint,
      databaseUrl: postgres.databaseUrl,
      ...(localStack.isOthers && { isOthers: true }),
    });
    log(localStack.isOthers ? `PostgreSQL is ready beside ${endpoint}` : `LocalStack is ready at ${endpoint}`);
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
  const ended = once(child, "exit").then(([code, signal]) => `LocalStack ended (${code ?? signal})`);
  return { endpoint: `http://127.0.0.1:${port}`, isOthers: false, ended, stop: () => end(child) };
}

/** Somebody else's ends when they end it or start it anew, and with it all that it knew. */
function besideLocalStack(endpoint: string) {
  const watching = new AbortController();
  const ended = (async () => {
    const session = await sessionOf(endpoint);
    for (let missed = 0; missed < missedLooks; await sleep(lookMs)) {
      if (watching.signal.aborted) return "told";
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
