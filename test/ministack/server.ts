import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startPostgres } from "../../targets/local/postgres.ts";
import { findPython } from "../../localstack/find-python.ts";
import { clientEnvironment } from "../../localstack/environment.ts";
import { freePort } from "../support/free-port.ts";

/** The version in which the differences in localstack/README.md were observed. */
const ministack = "ministack==1.5.33";
const startSeconds = 60;

/** MiniStack and a PostgreSQL in a separate folder. */
export interface RunningMiniStack {
  /** MiniStack's own process. */
  pid: number;
  endpoint: string;
  databaseUrl: string;
  /** For a run's other files; deleted by the stop. */
  folder: string;
  stop(): Promise<void>;
}

/**
 * Installs MiniStack in a separate virtual environment, once; returns its program. Throws if a prerequisite is missing.
 */
export async function installMiniStack(say: (line: string) => void): Promise<string> {
  const venv = join(process.env["XDG_CACHE_HOME"] ?? tmpdir(), `pizza-${ministack.replace("==", "-")}`);
  const program = join(venv, "bin", "ministack");
  if (existsSync(program)) return program;
  const { program: python } = await findPython();
  say(`installing ${ministack} in ${venv}`);
  rmSync(venv, { recursive: true, force: true });
  try {
    execFileSync(python, ["-m", "venv", venv]);
    const quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir"];
    execFileSync(join(venv, "bin", "pip"), ["install", ...quiet, ministack], { stdio: "pipe" });
  } catch (cause) {
    throw new Error(`pip could not install ${ministack}`, { cause });
  }
  return program;
}

/** Starts both on free ports of 127.0.0.1, with all their files in one folder. */
export async function startMiniStack(program: string): Promise<RunningMiniStack> {
  const folder = mkdtempSync(join(tmpdir(), "pizza-ministack-"));
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const postgres = await startPostgres({ dir: join(folder, "postgres"), port: await freePort() });
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const log = openSync(join(folder, "ministack.log"), "a");
  const child = spawn(program, [], {
    cwd: folder,
    // A separate process group, because its functions are processes that outlive it.
    detached: true,
    stdio: ["ignore", log, log],
    env: {
      // None of the caller's variables with which a function could reach AWS.
      ...clientEnvironment(endpoint),
      PATH: [dirname(process.execPath), process.env["PATH"] ?? ""].join(":"),
      HOME: folder,
      TMPDIR: temporary,
      BIND_HOST: "127.0.0.1",
      MINISTACK_HOST: "127.0.0.1",
      GATEWAY_PORT: String(port),
    },
  });
  closeSync(log);
  const ended = once(child, "exit");
  const stop = async () => {
    end(child.pid!);
    await ended;
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  for (
    const until = Date.now() + startSeconds * 1000;
    Date.now() < until && child.exitCode === null;
    await sleep(100)
  ) {
    const answer = await fetch(`${endpoint}/_localstack/health`).catch(() => undefined);
    if (answer?.ok) {
      return { pid: child.pid!, endpoint, databaseUrl: postgres.connectionString("owner"), folder, stop };
    }
  }
  const words = readFileSync(join(folder, "ministack.log"), "utf8").trim().split("\n").slice(-10).join("\n");
  await stop();
  throw new Error(`MiniStack does not answer at ${endpoint}; its log ends with:\n${words}`);
}

/** It persists nothing, so there is nothing to wait for. */
function end(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group has no processes left.
  }
}
