import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** How many invocations are killed: fewer than a workflow's attempts at a step. */
const deaths = 2;

/** Does the work while every new process of the function is killed immediately; returns how many were. Linux only. */
export async function whileKilling(functionName: string, work: () => Promise<void>): Promise<number> {
  // Killing an idle process has no effect on any call; every later process was started for one.
  kill(functionName);
  const done = new AbortController();
  const working = work().finally(() => done.abort());
  let killed = 0;
  for (; killed < deaths && !done.signal.aborted; await sleep(5)) killed += kill(functionName);
  await working;
  return killed;
}

function kill(functionName: string): number {
  const wanted = `AWS_LAMBDA_FUNCTION_NAME=${functionName}`;
  const found = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && environmentOf(pid).includes(wanted));
  return found.filter((pid) => {
    try {
      return process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended since it was found.
      return false;
    }
  }).length;
}

/** Undefined for a process that has exited or belongs to another user. */
function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}
