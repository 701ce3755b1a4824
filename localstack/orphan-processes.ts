import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findServer, stopServer } from "../targets/local/postgres-process.ts";
import type { LocalStackDirectory } from "../targets/localstack-directory.ts";

/** The program that supervises LocalStack and PostgreSQL. */
export const serveScript = fileURLToPath(new URL("serve.ts", import.meta.url));

/** Kills the processes that a killed supervisor left running, each by its id; returns their number. */
export async function endOrphans(directory: LocalStackDirectory): Promise<number> {
  const found = existsSync(directory.root) ? processesOf(directory) : [];
  for (const pid of found) tryKill(pid);
  const data = join(directory.postgres, "data");
  const server = existsSync(data) ? findServer(data) : undefined;
  if (server) await stopServer(data, server.pid);
  return found.length + (server ? 1 : 0);
}

/** Ids of the supervisor and of processes that run a program from the data folder, the supervisor first. */
function processesOf(directory: LocalStackDirectory): number[] {
  const list = execFileSync("ps", ["-A", "-ww", "-o", "pid=,command="], {
    encoding: "utf8",
    maxBuffer: 16 * 1024 * 1024,
  });
  const found = list.split("\n").flatMap((line) => {
    const [, pid, command = ""] = /^\s*(\d+) (.*)$/.exec(line) ?? [];
    return belongsTo(directory, command) ? [{ pid: Number(pid), isSupervisor: command.includes(serveScript) }] : [];
  });
  return found.toSorted((a, b) => Number(b.isSupervisor) - Number(a.isSupervisor)).map(({ pid }) => pid);
}

/**
 * Whether a process with this command line belongs to the data folder. Paths may contain spaces, so they are not split.
 */
export function belongsTo({ root, python, venv, kinesis }: LocalStackDirectory, command: string): boolean {
  if (command.startsWith(`${python} -m localstack.runtime.main`)) return true;
  if (!/^(.*\/)?(node|MainThread) /.test(command)) return false;
  const [, where] = command.split(` ${serveScript} ${root} `);
  const isSupervisor = where !== undefined && !where.includes(" ");
  return isSupervisor || [` ${venv}/`, ` ${kinesis}/`].some((part) => command.includes(part));
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has exited meanwhile.
  }
}
