import { spawn } from "node:child_process";
import { existsSync, openSync, closeSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { install } from "./install.ts";
import { endLeftOver } from "./left-over.ts";
import type { LocalStackHome } from "./paths.ts";
import { readRunning, type RunningLocalStack } from "./state.ts";

const serve = fileURLToPath(new URL("serve.ts", import.meta.url));

/**
 * Starts LocalStack and PostgreSQL in the background, both on 127.0.0.1 only, and resolves when both answer. Where they run
 * already, says so and does nothing. The first time it installs what is needed.
 */
export async function start(
  home: LocalStackHome,
  { port, say }: { port: number; say: (line: string) => void },
): Promise<RunningLocalStack & { wasRunning: boolean }> {
  const known = readRunning(home);
  if (known) return { ...known, wasRunning: true };
  await endLeftOver(home);
  await checkPort(port);
  await install(home, say);
  say(`starting LocalStack and PostgreSQL; log: ${logFile(home)}`);
  return { ...(await spawnServer(home, port)), wasRunning: false };
}

/** Where LocalStack's own words go. */
export function logFile({ logs }: LocalStackHome): string {
  return join(logs, "localstack.log");
}

async function spawnServer(home: LocalStackHome, port: number): Promise<RunningLocalStack> {
  const path = logFile(home);
  const from = existsSync(path) ? statSync(path).size : 0;
  const log = openSync(path, "a");
  const child = spawn(process.execPath, [serve, home.root, String(port)], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  while (child.exitCode === null && child.signalCode === null) {
    const running = readRunning(home);
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

async function checkPort(port: number): Promise<void> {
  const probe = createServer().listen(port, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch (cause) {
    throw new Error(`port ${port} is taken: stop what listens there (another LocalStack?), or choose --port`, {
      cause,
    });
  } finally {
    probe.close();
  }
}
