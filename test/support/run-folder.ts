import { existsSync, mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "../../pipeline/domain/errors.ts";

const variable = "PIZZA_TEST_RUN";

/** Vitest's global setup: one folder for all test files of a run, removed after the last one. */
export default function setUp(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "pizza-run-"));
  process.env[variable] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** The folder of this run; undefined outside a run. */
export const runFolder = (): string | undefined => process.env[variable];

/**
 * The folder that `make` fills once per run, for the first test file that needs it. Undefined outside a run. A worker
 * that needs it meanwhile waits: making it a second time would cost what this saves.
 */
export async function onceARun(
  name: string,
  make: (folder: string) => Promise<void> | void,
): Promise<string | undefined> {
  const run = runFolder();
  if (run === undefined) return undefined;
  const made = join(run, name);
  const lock = `${made}.lock`;
  while (!existsSync(made)) {
    if (!take(lock)) {
      await sleep(50);
      continue;
    }
    try {
      if (existsSync(made)) break;
      const fresh = mkdtempSync(join(run, "new-"));
      await make(fresh);
      renameSync(fresh, made);
    } finally {
      rmdirSync(lock);
    }
  }
  return made;
}

/** Whether this worker got the lock. A worker that dies with it fails the run, and the next run has another folder. */
function take(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    return false;
  }
}
