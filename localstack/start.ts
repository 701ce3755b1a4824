import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readRunning, type LocalStackDirectory, type RunningLocalStack } from "../targets/localstack-directory.ts";
import { checkFolder } from "./data-folder.ts";
import { answersAsLocalStack } from "./health.ts";
import { install } from "./install.ts";
import { withLock } from "./lock.ts";
import { endOrphans, serveScript } from "./orphan-processes.ts";

export type Started = RunningLocalStack & { wasRunning: boolean };

interface LocalStackStartOptions {
  say: (line: string) => void;
  /** For tests. */
  platform?: NodeJS.Platform;
}

/**
 * Starts LocalStack and PostgreSQL in the background, both on 127.0.0.1 only, and resolves when both are ready. Does
 * nothing if they are running; waits for a start or stop in progress. The first start installs LocalStack.
 */
export async function start(
  directory: LocalStackDirectory,
  { port, say, platform = process.platform }: LocalStackStartOptions & { port: number },
): Promise<Started> {
  return await startOnce(directory, say, async () => {
    checkPlatform(platform);
    await checkPort(port);
    await install(directory, say);
    say(`starting LocalStack and PostgreSQL; log: ${logFile(directory)}`);
    return await spawnServer(directory, String(port));
  });
}

/** Starts only PostgreSQL, for an external LocalStack whose functions run as processes on this machine. */
export async function startBeside(
  directory: LocalStackDirectory,
  { endpoint, say }: LocalStackStartOptions & { endpoint: string },
): Promise<Started> {
  return await startOnce(directory, say, async () => {
    say(`starting PostgreSQL for it; log: ${logFile(directory)}`);
    return await spawnServer(directory, endpoint);
  });
}

async function startOnce(
  directory: LocalStackDirectory,
  say: (line: string) => void,
  work: () => Promise<RunningLocalStack>,
): Promise<Started> {
  checkFolder(directory);
  const known = readRunning(directory);
  if (known) return { ...known, wasRunning: true };
  return await withLock(directory, { say }, async () => {
    const meanwhile = readRunning(directory);
    if (meanwhile) return { ...meanwhile, wasRunning: true };
    await endOrphans(directory);
    return { ...(await work()), wasRunning: false };
  });
}

/** Path of the log of LocalStack and its supervisor. */
export function logFile({ logs }: LocalStackDirectory): string {
  return join(logs, "localstack.log");
}

async function spawnServer(directory: LocalStackDirectory, where: string): Promise<RunningLocalStack> {
  const path = logFile(directory);
  const from = existsSync(path) ? statSync(path).size : 0;
  const log = openSync(path, "a");
  const child = spawn(process.execPath, [serveScript, directory.root, where], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  while (child.exitCode === null && child.signalCode === null) {
    const running = readRunning(directory);
    if (running?.pid === child.pid) {
      child.unref();
      return running!;
    }
    await sleep(100);
  }
  const lines = readFileSync(path).subarray(from).toString().trim().split("\n").slice(-15).join("\n");
  throw new Error(
    `LocalStack did not start (${child.exitCode ?? child.signalCode}); its log ${path} ends with:\n${lines}`,
  );
}

/** The functions contain DuckDB for Linux and run as processes on this machine. */
function checkPlatform(platform: NodeJS.Platform): void {
  if (platform === "linux") return;
  throw new Error(
    `LocalStack without Docker runs only on Linux, and this is ${platform}: use Docker (see localstack/compose.yaml), or the ` +
      "local pipeline (make demo)",
  );
}

async function checkPort(port: number): Promise<void> {
  const probe = createServer().listen(port, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch (cause) {
    throw new Error((await takenBy(port)) + ", or choose --port", { cause });
  } finally {
    probe.close();
  }
}

async function takenBy(port: number): Promise<string> {
  if (await answersAsLocalStack(`http://127.0.0.1:${port}`))
    return `port ${port} is used by a LocalStack that was not started here: deploy to it with make deploy ENV=localstack, stop it`;
  return `port ${port} is in use: stop the program that listens there`;
}
