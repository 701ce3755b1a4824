import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync, type Metafile } from "esbuild";
import { SettingsError, type Environment } from "./config.ts";
import type { CodeSource } from "./constructs/function-factory.ts";
import { functionEntries, type FunctionEntry, type FunctionName } from "./function-entries.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

export interface BundleOptions {
  name: FunctionName;
  /** The asset is the folder `<outdir>/<name>`, which is replaced. */
  outdir: string;
  /** With `duckdb`, functions that run SQL on the lake include DuckDB. */
  lakeSql: "athena" | "duckdb";
  /** The function's architecture; only DuckDB depends on it. */
  architecture?: "arm64" | "x86_64";
}

/** A function's deployment package. */
export interface FunctionBundle {
  name: FunctionName;
  /** The folder that is zipped. */
  path: string;
  /** Handler string `<file without extension>.handler`. Lambda takes everything after the first dot as the export. */
  handler: string;
  /** Bytes of JavaScript loaded at a cold start. */
  loadedBytes: number;
  /** Bytes of all JavaScript, without copied packages. */
  codeBytes: number;
  /** Bytes of all files. */
  totalBytes: number;
}

/**
 * Bundles one function into a folder: minified ES modules for Node.js 24 and the project files that it reads, at the
 * paths where the code expects them. Reproducible: equal sources give equal bytes.
 */
export function bundleFunction({ name, outdir, lakeSql, architecture = "arm64" }: BundleOptions): FunctionBundle {
  const { entry, files = [], usesLakeSql = false }: FunctionEntry = functionEntries[name];
  const path = join(outdir, name);
  const module = entry.replace(/\.ts$/, "");
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  const code = buildCode({ entry, module, path });
  for (const file of files) cpSync(join(root, file), join(path, "lambdas", file), { recursive: true });
  if (usesLakeSql && lakeSql === "duckdb") copyDuckDb(path, architecture);
  return { name, path, handler: `${module}.handler`, ...code, totalBytes: folderBytes(path) };
}

function buildCode({ entry, module, path }: { entry: string; module: string; path: string }) {
  const { metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: [{ in: entry, out: module }],
    outdir: path,
    // Dynamically imported modules stay separate files. All code is two folders deep, so `../` in project-files.ts is
    // `lambdas/`, where the project files are copied to.
    splitting: true,
    chunkNames: "lambdas/chunks/[name]-[hash]",
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node24",
    mainFields: ["module", "main"],
    outExtension: { ".js": ".mjs" },
    external: ["@duckdb/*", "pg-native"],
    metafile: true,
    legalComments: "none",
    logLevel: "error",
    // CommonJS packages call require for Node's built-in modules.
    banner: {
      js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
    },
  });
  const { outputs } = metafile;
  const start = Object.keys(outputs).find((file) => outputs[file]!.entryPoint === entry)!;
  return {
    loadedBytes: bytesOf(outputs, loadedFrom(outputs, start)),
    codeBytes: bytesOf(outputs, Object.keys(outputs)),
  };
}

/** A file and everything it imports statically. */
function loadedFrom(outputs: Metafile["outputs"], start: string): Set<string> {
  const loaded = new Set([start]);
  for (const file of loaded) {
    for (const { path, kind } of outputs[file]!.imports) {
      if (kind === "import-statement" && path in outputs) loaded.add(path);
    }
  }
  return loaded;
}

function bytesOf(outputs: Metafile["outputs"], files: Iterable<string>): number {
  return Array.from(files, (file) => outputs[file]!.bytes).reduce((sum, bytes) => sum + bytes, 0);
}

function copyDuckDb(path: string, architecture: "arm64" | "x86_64"): void {
  const cpu = architecture === "arm64" ? "arm64" : "x64";
  const binding = `@duckdb/node-bindings-linux-${cpu}`;
  for (const name of ["@duckdb/node-api", "@duckdb/node-bindings", binding]) {
    const source = join(root, "node_modules", name);
    if (!existsSync(source)) throw new SettingsError(missing(name, cpu));
    cpSync(source, join(path, "node_modules", name), { recursive: true });
  }
}

function missing(name: string, cpu: string): string {
  const { version } = createRequire(import.meta.url)("@duckdb/node-bindings/package.json") as { version: string };
  return (
    `package ${name} is not installed, but functions with DuckDB on ${cpu} need it: ` +
    `run npm install --no-save --force ${name}@${version}, or choose Athena`
  );
}

function folderBytes(path: string): number {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

/** Bundles each function on demand into a temporary folder that CDK copies from. */
export function bundles({ lakeSql, architecture }: Environment): CodeSource {
  const outdir = mkdtempSync(join(tmpdir(), "pizza-sales-"));
  process.once("exit", () => rmSync(outdir, { recursive: true, force: true }));
  return (name) => bundleFunction({ name, outdir, lakeSql, architecture });
}
