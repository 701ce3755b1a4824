/** Bundles every function and prints the sizes: `node scripts/bundle.ts [--lake-sql duckdb] [--out DIR] [--json]`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { count, print, printJson, textTable } from "../bin/output.ts";
import { bundleFunction } from "../lib/bundle-function.ts";
import { functionNames } from "../lib/function-entries.ts";

const { values } = parseArgs({
  options: { out: { type: "string" }, "lake-sql": { type: "string", default: "athena" }, json: { type: "boolean" } },
});
const lakeSql = values["lake-sql"];
if (lakeSql !== "athena" && lakeSql !== "duckdb") throw new Error(`--lake-sql ${lakeSql}: choose athena or duckdb`);

const outdir = values.out ?? mkdtempSync(join(tmpdir(), "pizza-bundles-"));
const architecture = process.arch === "arm64" ? "arm64" : "x86_64";
const bundles = functionNames.map((name) => bundleFunction({ name, outdir, lakeSql, architecture }));
if (values.out === undefined) rmSync(outdir, { recursive: true });

if (values.json) printJson(bundles);
else {
  print(
    textTable(
      bundles.map(({ name, handler, codeBytes, loadedBytes, totalBytes }) => ({
        function: name,
        handler,
        "loaded at start": count(loadedBytes),
        "all code": count(codeBytes),
        "with files": count(totalBytes),
      })),
    ),
  );
}
