import { setTimeout as sleep } from "node:timers/promises";
import { isRunning } from "../targets/local/machine.ts";
import { endOrphans } from "./orphan-processes.ts";
import { withLock } from "./lock.ts";
import { checkFolder, isEmpty, removeRun } from "./data-folder.ts";
import { type LocalStackDirectory, forgetDeployed, readRunning, removeRunning } from "../targets/localstack-place.ts";

const patienceSeconds = 40;

/**
 * Stops LocalStack, its functions, its Kinesis and PostgreSQL, and removes what the run left; false where none ran. Waits for a
 * start that is on its way. A folder that is not ours is refused.
 */
export async function stop(directory: LocalStackDirectory, say?: (line: string) => void): Promise<boolean> {
  checkFolder(directory);
  if (isEmpty(directory.root)) return false;
  return await withLock(directory, { say }, async () => {
    const running = readRunning(directory);
    if (running) await end(running);
    const leftOver = await endOrphans(directory);
    removeRunning(directory);
    forgetDeployed(directory);
    removeRun(directory);
    return running !== undefined || leftOver > 0;
  });
}

async function end({ pid, started }: { pid: number; started?: string | undefined }): Promise<void> {
  process.kill(pid, "SIGTERM");
  const until = Date.now() + patienceSeconds * 1000;
  while (isRunning(pid, started) && Date.now() < until) await sleep(50);
  if (isRunning(pid, started)) process.kill(pid, "SIGKILL");
}
