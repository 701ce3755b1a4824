import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** As many calls of the function die in their middle: fewer than a workflow tries a step. */
const deaths = 2;

/** Does the work while each process that the function gets for it is killed at once; gives back how many. Linux only. */
export async function whileKilling(functionName: string, work: () => Promise<void>): Promise<number> {
  // What waits for its next call dies without harm; any process after that was started for a call.
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
  for (const pid of found) process.kill(Number(pid), "SIGKILL");
  return found.length;
}

/** A process that has ended, or is somebody else's, has none. */
function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}
