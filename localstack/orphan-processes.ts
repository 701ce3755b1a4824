import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findServer, stopServer } from "../targets/local/postgres-process.ts";
import type { LocalStackDirectory } from "../targets/localstack-place.ts";

/** The program that keeps LocalStack and PostgreSQL. */
export const serveScript = fileURLToPath(new URL("serve.ts", import.meta.url));

/** Ends what a home's killed process left running, each by its id; gives back how many there were. */
export async function endOrphans(directory: LocalStackDirectory): Promise<number> {
  const found = existsSync(directory.root) ? processesOf(directory) : [];
  for (const pid of found) tryKill(pid);
  const data = join(directory.postgres, "data");
  const server = existsSync(data) ? findServer(data) : undefined;
  if (server) await stopServer(data, server.pid);
  return found.length + (server ? 1 : 0);
}

/** Ids of the processes that keep the home or run a program out of its folder, the keeper first. */
function processesOf(directory: LocalStackDirectory): number[] {
  const list = execFileSync("ps", ["-A", "-ww", "-o", "pid=,command="], {
    encoding: "utf8",
    maxBuffer: 16 * 1024 * 1024,
  });
  const found = list.split("\n").flatMap((line) => {
    const [, pid, command = ""] = /^\s*(\d+) (.*)$/.exec(line) ?? [];
    return belongsTo(directory, command) ? [{ pid: Number(pid), isKeeper: command.includes(serveScript) }] : [];
  });
  return found.toSorted((a, b) => Number(b.isKeeper) - Number(a.isKeeper)).map(({ pid }) => pid);
}

/** Whether a process with this command line is one of the home's. Paths may hold spaces, so nothing is split at them. */
export function belongsTo({ root, python, venv, kinesis }: LocalStackDirectory, command: string): boolean {
  if (command.startsWith(`${python} -m localstack.runtime.main`)) return true;
  if (!/^(.*\/)?(node|MainThread) /.test(command)) return false;
  const [, where] = command.split(` ${serveScript} ${root} `);
  const isKeeper = where !== undefined && !where.includes(" ");
  return isKeeper || [` ${venv}/`, ` ${kinesis}/`].some((words) => command.includes(words));
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
