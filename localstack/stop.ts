import { setTimeout as sleep } from "node:timers/promises";
import { isRunning } from "../targets/local/machine.ts";
import {
  forgetDeployed,
  readRunning,
  removeRunning,
  type LocalStackDirectory,
} from "../targets/localstack-directory.ts";
import { checkFolder, isEmpty, removeRun } from "./data-folder.ts";
import { withLock } from "./lock.ts";
import { endOrphans } from "./orphan-processes.ts";

const patienceSeconds = 40;

/**
 * Stops LocalStack, its functions, kinesis-local and PostgreSQL, and deletes the run's files; false if nothing was
 * running. Waits for a start in progress. Throws if the folder is not a LocalStack data folder.
 */
export async function stop(directory: LocalStackDirectory, say?: (line: string) => void): Promise<boolean> {
  checkFolder(directory);
  if (isEmpty(directory.root)) return false;
  return await withLock(directory, { say }, async () => {
    const running = readRunning(directory);
    if (running) await end(running);
    const orphans = await endOrphans(directory);
    removeRunning(directory);
    forgetDeployed(directory);
    removeRun(directory);
    return running !== undefined || orphans > 0;
  });
}

async function end({ pid, started }: { pid: number; started?: string | undefined }): Promise<void> {
  process.kill(pid, "SIGTERM");
  const until = Date.now() + patienceSeconds * 1000;
  while (isRunning(pid, started) && Date.now() < until) await sleep(50);
  if (isRunning(pid, started)) process.kill(pid, "SIGKILL");
}
