import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFunction, type BundleOptions, type FunctionBundle } from "../../lib/bundle-function.ts";
import type { FunctionName } from "../../lib/function-entries.ts";

/** Bundled functions in a folder outside the project, so that no packages are found except those in the bundle. */
export function openBundles(lakeSql: BundleOptions["lakeSql"] = "athena") {
  const outdir = mkdtempSync(join(tmpdir(), "pizza-functions-"));
  const architecture = process.arch === "arm64" ? "arm64" : "x86_64";
  const bundles = new Map<FunctionName, FunctionBundle>();
  return {
    /** Bundles a function on first use. */
    bundle(name: FunctionName): FunctionBundle {
      const bundle = bundles.get(name) ?? bundleFunction({ name, outdir, lakeSql, architecture });
      bundles.set(name, bundle);
      return bundle;
    },
    remove: () => rmSync(outdir, { recursive: true, force: true }),
  };
}
