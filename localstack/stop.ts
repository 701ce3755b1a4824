import { setTimeout as sleep } from "node:timers/promises";
import { isRunning } from "../targets/local/machine.ts";
import { endLeftOver } from "./orphan-processes.ts";
import { withLock } from "./lock.ts";
import { checkFolder, isEmpty, removeRun } from "./data-folder.ts";
import { type LocalStackHome, forgetDeployed, readRunning, removeRunning } from "../targets/localstack-place.ts";

const patienceSeconds = 40;

/**
 * Stops LocalStack, its functions, its Kinesis and PostgreSQL, and removes what the run left; false where none ran. Waits for a
 * start that is on its way. A folder that is not ours is refused.
 */
export async function stop(home: LocalStackHome, say?: (line: string) => void): Promise<boolean> {
  checkFolder(home);
  if (isEmpty(home.root)) return false;
  return await withLock(home, { say }, async () => {
    const running = readRunning(home);
    if (running) await end(running);
    const leftOver = await endLeftOver(home);
    removeRunning(home);
    forgetDeployed(home);
    removeRun(home);
    return running !== undefined || leftOver > 0;
  });
}

async function end({ pid, started }: { pid: number; started?: string | undefined }): Promise<void> {
  process.kill(pid, "SIGTERM");
  const until = Date.now() + patienceSeconds * 1000;
  while (isRunning(pid, started) && Date.now() < until) await sleep(50);
  if (isRunning(pid, started)) process.kill(pid, "SIGKILL");
}
