import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFunction } from "./bundle-function.ts";
import type { Environment } from "./config.ts";
import type { CodeSource } from "./constructs/function-factory.ts";

/** Bundles each function when it is asked for, into a temporary folder that CDK copies from. */
export function bundles({ lakeSql, architecture }: Environment): CodeSource {
  const outdir = mkdtempSync(join(tmpdir(), "pizza-sales-"));
  process.once("exit", () => rmSync(outdir, { recursive: true, force: true }));
  return (name) => bundleFunction({ name, outdir, lakeSql, architecture });
}
