import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { findServer, stopServer } from "../local/postgres-process.ts";
import type { LocalStackHome } from "./paths.ts";

/** Ends what a home's killed process left running, each by its id; gives back how many there were. */
export async function endLeftOver(home: LocalStackHome): Promise<number> {
  const found = existsSync(home.root) ? processesOf(home) : [];
  for (const pid of found) tryKill(pid);
  const data = join(home.postgres, "data");
  const server = existsSync(data) ? findServer(data) : undefined;
  if (server) await stopServer(data, server.pid);
  return found.length + (server ? 1 : 0);
}

/** Ids of the processes that run a program out of the home's own folder. */
function processesOf({ python, venv, kinesis }: LocalStackHome): number[] {
  const list = execFileSync("ps", ["-A", "-ww", "-o", "pid=,command="], {
    encoding: "utf8",
    maxBuffer: 16 * 1024 * 1024,
  });
  return list.split("\n").flatMap((line) => {
    const [, pid, program = "", rest = ""] = /^\s*(\d+) (\S+) ?(.*)$/.exec(line) ?? [];
    const isServer = program === python && rest.startsWith("-m localstack.runtime.main");
    const isNode = ["node", "MainThread"].includes(basename(program));
    const isOurs = isServer || (isNode && [`${venv}/`, `${kinesis}/`].some((folder) => rest.includes(folder)));
    return isOurs ? [Number(pid)] : [];
  });
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
