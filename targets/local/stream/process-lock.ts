import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { errorCode } from "../../../pipeline/domain/errors.ts";
import { isRunning, processStart } from "../machine.ts";

const held = new Set<string>();

/**
 * Takes a lock file for this process and returns the function that gives it back. Throws where a living process holds
 * it; one left by a process that is gone is taken over.
 */
export function takeLock(path: string, what: string): () => void {
  const started = processStart(process.pid);
  const mine = `${JSON.stringify({ pid: process.pid, started, id: randomUUID() })}\n`;
  while (!createWhole(path, mine)) {
    const theirs = readText(path);
    if (theirs === undefined) continue;
    const pid = holderOf(theirs, path);
    if (pid !== undefined) {
      throw new Error(`${what} is already open in process ${pid}; stop that process, or choose another folder`);
    }
    takeAway(path, theirs);
  }
  held.add(path);
  return () => {
    held.delete(path);
    if (readText(path) === mine) unlinkSync(path);
  };
}

/** A link makes the name and the content in one step, so nobody reads a lock without its owner. */
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

/** Two may find the same stale lock: the slower one must not take away the lock that the faster one just made. */
function takeAway(path: string, stale: string): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  if (readText(aside) !== stale) linkSync(aside, path);
  unlinkSync(aside);
}

/** The process that holds the lock, or undefined where it is gone (also where its number went to another process). */
function holderOf(text: string, path: string): number | undefined {
  const { pid, started } = parse(text);
  if (!isRunning(pid, started)) return undefined;
  const isSure = started !== undefined && processStart(pid) !== undefined;
  return pid === process.pid && !isSure && !held.has(path) ? undefined : pid;
}

function parse(text: string): { pid: number; started?: string } {
  try {
    return JSON.parse(text);
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
