import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "../pipeline/domain/errors.ts";
import { isRunning, processStart } from "../targets/local/machine.ts";
import type { LocalStackDirectory } from "../targets/localstack-directory.ts";
import { makeFolders } from "./data-folder.ts";

interface Holder {
  pid: number;
  started?: string | undefined;
}

/**
 * Calls `work` while holding the lock, so that no other process starts or stops LocalStack here; waits for a current
 * holder and reports it. A lock whose process has exited is ignored.
 */
export async function withLock<Result>(
  directory: LocalStackDirectory,
  { say = () => {} }: { say?: ((line: string) => void) | undefined },
  work: () => Promise<Result>,
): Promise<Result> {
  for (let isReported = false; !take(directory); await sleep(100)) {
    const holder = readHolder(directory.lock);
    if (holder === undefined) continue;
    if (!isRunning(holder.pid, holder.started)) removeStale(directory.lock, holder);
    else if (!isReported) {
      say(`process ${holder.pid} is starting or stopping LocalStack here: waiting for it`);
      isReported = true;
    }
  }
  try {
    return await work();
  } finally {
    rmSync(directory.lock, { force: true });
  }
}

/** Creating a hard link is atomic and fails if the name exists. */
function take(directory: LocalStackDirectory): boolean {
  makeFolders(directory);
  const { lock } = directory;
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, JSON.stringify({ pid: process.pid, started: processStart(process.pid) }));
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Two processes may see the same dead holder: the moved lock is checked again and put back if it is a new holder's. */
function removeStale(lock: string, dead: Holder): void {
  const moved = `${lock}.${process.pid}.dead`;
  try {
    renameSync(lock, moved);
    const { pid, started } = readHolder(moved) ?? dead;
    if (pid !== dead.pid || started !== dead.started) linkSync(moved, lock);
  } catch (error) {
    if (!["ENOENT", "EEXIST"].includes(errorCode(error))) throw error;
  } finally {
    rmSync(moved, { force: true });
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
