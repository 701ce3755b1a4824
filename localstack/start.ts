import { spawn } from "node:child_process";
import { existsSync, openSync, closeSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { install } from "./install.ts";
import { answersAsLocalStack } from "./health.ts";
import { endOrphans, serveScript } from "./orphan-processes.ts";
import { withLock } from "./lock.ts";
import { checkFolder } from "./data-folder.ts";
import { type LocalStackDirectory, readRunning, type RunningLocalStack } from "../targets/localstack-place.ts";

export type Started = RunningLocalStack & { wasRunning: boolean };

interface StartOptions {
  say: (line: string) => void;
  /** Only tests have another. */
  platform?: NodeJS.Platform;
}

/**
 * Starts LocalStack and PostgreSQL in the background, both on 127.0.0.1 only, and resolves when both answer. Where they run
 * already, says so and does nothing; a start or stop that is on its way is waited for. The first time it installs what is needed.
 */
export async function start(
  directory: LocalStackDirectory,
  { port, say, platform = process.platform }: StartOptions & { port: number },
): Promise<Started> {
  return await startOnce(directory, say, async () => {
    checkPlatform(platform);
    await checkPort(port);
    await install(directory, say);
    say(`starting LocalStack and PostgreSQL; log: ${logFile(directory)}`);
    return await spawnServer(directory, String(port));
  });
}

/** Starts PostgreSQL alone, beside a LocalStack that somebody else started and whose functions are processes of this machine. */
export async function startBeside(
  directory: LocalStackDirectory,
  { endpoint, say }: StartOptions & { endpoint: string },
): Promise<Started> {
  return await startOnce(directory, say, async () => {
    say(`starting PostgreSQL beside it; log: ${logFile(directory)}`);
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

/** Where LocalStack's own words go. */
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
  const words = readFileSync(path).subarray(from).toString().trim().split("\n").slice(-15).join("\n");
  throw new Error(
    `LocalStack did not start (${child.exitCode ?? child.signalCode}); its log ${path} ends with:\n${words}`,
  );
}

/** The functions carry Linux's DuckDB, and here they are processes of this machine. */
function checkPlatform(platform: NodeJS.Platform): void {
  if (platform === "linux") return;
  throw new Error(
    `LocalStack without Docker runs on Linux only, and this is ${platform}: with Docker see localstack/compose.yaml; the embedded ` +
      "home runs here: make demo",
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
    return `port ${port} is taken by a LocalStack that was not started here: make deploy ENV=localstack deploys into it, or stop it`;
  return `port ${port} is taken: stop what listens there`;
}
