import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "../pipeline/domain/errors.ts";
import { isRunning, processStart } from "../targets/local/machine.ts";
import { makeFolders } from "./data-folder.ts";
import type { LocalStackDirectory } from "../targets/localstack-place.ts";

interface Holder {
  pid: number;
  started?: string | undefined;
}

/**
 * Calls `work` while no other process starts or stops this home; waits for one that does, and says so. A lock whose process
 * is gone counts for nothing.
 */
export async function withLock<Result>(
  directory: LocalStackDirectory,
  { say = () => {} }: { say?: ((line: string) => void) | undefined },
  work: () => Promise<Result>,
): Promise<Result> {
  for (let told = false; !take(directory); await sleep(100)) {
    const holder = readHolder(directory.lock);
    if (holder === undefined) continue;
    if (!isRunning(holder.pid, holder.started)) takeAway(directory.lock, holder);
    else if (!told) {
      say(`process ${holder.pid} starts or stops LocalStack here: waiting for it`);
      told = true;
    }
  }
  try {
    return await work();
  } finally {
    rmSync(directory.lock, { force: true });
  }
}

/** A link comes into being whole or not at all, and never replaces another. */
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

/** Two may see the same dead holder: what is taken away is looked at again, and put back where it is a living one's. */
function takeAway(lock: string, dead: Holder): void {
  const aside = `${lock}.${process.pid}.dead`;
  try {
    renameSync(lock, aside);
    const { pid, started } = readHolder(aside) ?? dead;
    if (pid !== dead.pid || started !== dead.started) linkSync(aside, lock);
  } catch (error) {
    if (!["ENOENT", "EEXIST"].includes(errorCode(error))) throw error;
  } finally {
    rmSync(aside, { force: true });
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
