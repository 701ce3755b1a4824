import { randomUUID } from "node:crypto";
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { errorCode } from "../../../pipeline/domain/errors.ts";
import { isRunning, processStart } from "../machine.ts";

const held = new Set<string>();

/**
 * Acquires a lock file for this process and returns the function that releases it. Throws if a live process holds it;
 * takes over a stale lock.
 */
export function takeLock(path: string, what: string): () => void {
  const started = processStart(process.pid);
  const mine = `${JSON.stringify({ pid: process.pid, started, id: randomUUID() })}\n`;
  while (!createWhole(path, mine)) {
    const theirs = readText(path);
    if (theirs === undefined) continue;
    const pid = holderOf(theirs, path);
    if (pid !== undefined) {
      throw new Error(`${what} is already open in process ${pid}: stop that process, or choose another folder`);
    }
    removeStale(path, theirs);
  }
  held.add(path);
  return () => {
    held.delete(path);
    if (readText(path) === mine) unlinkSync(path);
  };
}

/** The other live process that holds a lock; undefined if there is none. */
export function lockHolder(path: string): number | undefined {
  const text = readText(path);
  const pid = text === undefined ? undefined : holderOf(text, path);
  return pid === process.pid ? undefined : pid;
}

/** Links a complete draft, so that no other process can read a lock file without content. */
function createWhole(path: string, text: string): boolean {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, text);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    return false;
  } finally {
    unlinkSync(draft);
  }
}

/** Two processes may find the same stale lock: the slower one must not remove the new lock of the faster one. */
function removeStale(path: string, stale: string): void {
  const moved = `${path}.${randomUUID()}`;
  try {
    renameSync(path, moved);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  if (readText(moved) !== stale) linkSync(moved, path);
  unlinkSync(moved);
}

/** The live process that holds the lock; undefined if it has exited, even if its id was reused. */
function holderOf(text: string, path: string): number | undefined {
  const { pid, started } = parse(text);
  if (!isRunning(pid, started)) return undefined;
  const isSure = started !== undefined && processStart(pid) !== undefined;
  return pid === process.pid && !isSure && !held.has(path) ? undefined : pid;
}

function parse(text: string): { pid: number; started?: string } {
  try {
    return { pid: 0, ...JSON.parse(text) };
  } catch {
    return { pid: 0 };
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes(errorCode(error))) return undefined;
    throw error;
  }
}
