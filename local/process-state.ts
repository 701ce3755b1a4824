import { readFileSync } from "node:fs";
import { errorCode } from "../lambdas/adapters/error-code.ts";
import { isAlive } from "../lambdas/adapters/folder-files.ts";

/**
 * Whether that process still runs: one of which only the exit code is left does not, nor does another one that got the
 * same id. `started` is what `processStart` said of it; without it, or without /proc, the id alone decides.
 */
export function isRunning(pid: number, started?: string): boolean {
  if (!isAlive(pid)) return false;
  const now = readState(pid);
  if (now === undefined) return true;
  return !now.hasEnded && (started === undefined || started === now.started);
}

/** When a process began, in clock ticks since the machine did: with its id it names the process. Undefined without /proc. */
export function processStart(pid: number): string | undefined {
  return readState(pid)?.started;
}

function readState(pid: number): { started: string | undefined; hasEnded: boolean } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
    return { started: fields[19], hasEnded: fields[0] === "Z" || fields[0] === "X" };
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes(errorCode(error))) return undefined;
    throw error;
  }
}
