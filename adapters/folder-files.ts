import { readdirSync, statSync, unlinkSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { errorCode } from "../pipeline/domain/errors.ts";

const oldMilliseconds = 3_600_000;

/** Creates a folder below `root` with its parents, durable once the promise resolves. */
export async function makeFolder(folder: string, root: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let parent = dirname(folder); !relative(root, parent).startsWith(".."); parent = dirname(parent)) {
    await syncFolder(parent);
    if (parent === dirname(parent)) return;
  }
}

/** Makes the entries of a folder durable: fsync of a file does not cover its directory entry. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Deletes drafts (`<pid>-…`) of processes that have exited, and drafts too old to be in use. */
export function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age < oldMilliseconds && isAlive(Number.parseInt(name, 10))) continue;
    try {
      unlinkSync(path);
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
  }
}

/** Whether a process with that id exists, including one of another user. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}
