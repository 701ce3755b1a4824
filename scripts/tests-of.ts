import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { allMutants } from "../test/mutation/mutants.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const code = ["adapters", "bench", "bin", "data", "lambdas", "lib", "localstack", "pipeline", "producer", "scripts"]
  .concat(["sql", "step-functions", "targets", "test"])
  .map((folder) => `${folder}/**/*`);

/**
 * The test files that reach a file, by their paths from the project's root, the nearest first: those named after it,
 * those of its mutants, then those whose imports lead to it. A path in a string counts as an import: that is how a test
 * starts a program, and how SQL, data and workflows are read.
 */
export function testsOf(file: string): string[] {
  const { files, readers } = (graph ??= readGraph());
  const reached = new Set([file]);
  for (const path of reached) for (const reader of readers.get(path) ?? []) reached.add(reader);
  const name = file.replace(/\.[^./]+$/, "");
  const named = files.filter((path) => path.startsWith(`test/${name}.`));
  const guarding = allMutants.filter((mutant) => mutant.file === file).flatMap(({ tests }) => tests);
  return [...new Set([...named, ...guarding, ...reached])].filter((path) => path.endsWith(".test.ts"));
}

let graph: ReturnType<typeof readGraph> | undefined;

/** All files, and for each the modules that name it. */
function readGraph() {
  const files = globSync(code, { cwd: root }).filter((path) => statSync(join(root, path)).isFile());
  const readers = new Map<string, string[]>();
  const known = new Set(files);
  for (const reader of files.filter((path) => /\.[cm]?[jt]s$/.test(path) && !path.startsWith("test/mutation/"))) {
    const text = readFileSync(join(root, reader), "utf8").replaceAll(/^\s*(\/\/|\/?\*).*$/gm, "");
    for (const [, path = ""] of text.matchAll(/["'`]([\w./-]+(?:\$\{[^}]*\}[\w./-]*)*)["'`]/g)) {
      for (const file of namedFiles(path, reader, known)) {
        if (file !== reader) readers.set(file, [...(readers.get(file) ?? []), reader]);
      }
    }
  }
  return { files, readers };
}

/** The files that a string in a module names, relative to it or the root: one, a folder's, or matches of `${...}`. */
function namedFiles(path: string, reader: string, files: ReadonlySet<string>): string[] {
  const isRelative = path.startsWith(".");
  const name = normalize(isRelative ? join(dirname(reader), path) : path).replace(/\/$/, "");
  if (files.has(name)) return [name];
  // A word, or a module that is not there.
  if ((!isRelative && !name.includes("/")) || /\.[cm]?[jt]s$/.test(name)) return [];
  // A folder around the module says where it is, not what it reads.
  if (`${reader}/`.startsWith(`${name}/`) || name === ".") return [];
  const pattern = name.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(".", String.raw`\.`));
  const fits = new RegExp(pattern.length === 1 ? `^${pattern[0]}/` : `^${pattern.join("[^/]*")}$`);
  return [...files].filter((file) => fits.test(file));
}

function main([given, ...others]: string[]): number {
  const problem = problemOf(given, others);
  if (given === undefined || problem !== undefined) {
    console.error(`${problem}\nusage: npm run tests-of <file>, such as pipeline/silver/refine-silver.ts`);
    return 2;
  }
  const file = relative(root, resolve(given));
  const tests = testsOf(file);
  if (tests.length === 0) {
    console.error(`no test reaches ${file}: write one in test/${file.replace(/\.[^./]+$/, "")}.test.ts`);
    return 1;
  }
  console.log(tests.join("\n"));
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  return spawnSync(process.execPath, [vitest, "run", ...tests], { cwd: root, stdio: "inherit" }).status ?? 1;
}

function problemOf(given: string | undefined, others: readonly string[]): string | undefined {
  if (given === undefined) return "no file is given";
  if (others.length > 0) return `${others.join(" ")}: only one file can be given`;
  const isFile = existsSync(given) && statSync(given).isFile() && !relative(root, resolve(given)).startsWith("..");
  return isFile ? undefined : `${given} is not a file of this project: give its path`;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
