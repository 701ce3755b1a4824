import { existsSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleFunction, type BundleOptions, type FunctionBundle } from "../../lib/bundle-function.ts";
import { functionEntries, type FunctionEntry, type FunctionName } from "../../lib/function-entries.ts";
import { errorCode } from "../../pipeline/domain/errors.ts";
import { runFolder } from "../support/run-folder.ts";

/**
 * Bundles a function on first use in this run of the tests, in a folder outside the project, so that no packages are
 * found except those in the bundle. The test files of a run share it, so they must not change it.
 */
export function sharedBundle(name: FunctionName, lakeSql: BundleOptions["lakeSql"]): FunctionBundle {
  const run = runFolder();
  if (run === undefined) throw new Error("there is no folder of this run: start the tests with vitest");
  const { usesLakeSql = false }: FunctionEntry = functionEntries[name];
  const made = join(run, `${name}-${usesLakeSql ? lakeSql : "without-lake"}`);
  const facts = join(made, "facts.json");
  if (!existsSync(made)) {
    const outdir = mkdtempSync(join(run, "new-"));
    const architecture = process.arch === "arm64" ? "arm64" : "x86_64";
    const bundle = bundleFunction({ name, outdir, lakeSql, architecture });
    writeFileSync(join(outdir, "facts.json"), JSON.stringify({ ...bundle, path: join(made, name) }));
    moveUnlessThere(outdir, made);
  }
  return JSON.parse(readFileSync(facts, "utf8")) as FunctionBundle;
}

/** Another worker may have made the same meanwhile. */
function moveUnlessThere(folder: string, to: string): void {
  try {
    renameSync(folder, to);
  } catch (error) {
    if (errorCode(error) !== "ENOTEMPTY" && errorCode(error) !== "EEXIST") throw error;
  }
}
