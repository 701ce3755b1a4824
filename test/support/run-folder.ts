import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const variable = "PIZZA_TEST_RUN";

/** Vitest's global setup: one folder for all test files of a run, removed after the last one. */
export default function setUp(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "pizza-run-"));
  process.env[variable] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/**
 * The folder that `make` fills once per run, for the first test file that needs it. Undefined outside a run. If two
 * workers need it at the same time, both create one, and the second is discarded.
 */
export async function onceARun(
  name: string,
  make: (folder: string) => Promise<void> | void,
): Promise<string | undefined> {
  const run = process.env[variable];
  if (run === undefined) return undefined;
  const made = join(run, name);
  if (existsSync(made)) return made;
  const fresh = mkdtempSync(join(run, "new-"));
  await make(fresh);
  try {
    renameSync(fresh, made);
  } catch (error) {
    if (!existsSync(made)) throw error;
    rmSync(fresh, { recursive: true, force: true });
  }
  return made;
}
