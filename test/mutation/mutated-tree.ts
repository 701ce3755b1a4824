import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Mutant } from "./mutant.ts";

const project = new URL("../..", import.meta.url).pathname;
/** Milliseconds. A mutant can make a test hang; all tests without a mutant can take long on a busy machine. */
const patience = { mutant: 300_000, all: 1_800_000 };

/** The result of the tests. */
export interface Verdict {
  passed: number;
  /** Names of the failed tests. */
  failed: string[];
  /** Why no test could be run; a mutant has no verdict if its tests do not run. */
  broken?: string;
}

/** A copy of the project's files in which guards can be broken; packages are shared. */
export function copyTree() {
  const root = mkdtempSync(join(tmpdir(), "pizza-mutants-"));
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: project,
    encoding: "utf8",
  });
  for (const file of listed.split("\0").filter((name) => name !== "")) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(join(project, file), join(root, file), { force: true });
  }
  symlinkSync(join(project, "node_modules"), join(root, "node_modules"));
  return {
    /** Runs test files without a mutant. */
    run: (tests: readonly string[]) => runTests(root, { tests }, patience.all),
    /** Breaks the guard, runs its tests, and restores it. */
    async runMutant(mutant: Mutant): Promise<Verdict> {
      const path = join(root, mutant.file);
      const whole = readFileSync(path, "utf8");
      writeFileSync(path, applyMutant(mutant, whole));
      try {
        return await runTests(root, mutant, patience.mutant);
      } finally {
        writeFileSync(path, whole);
      }
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** The file's text with the guard broken; throws unless the mutant's text occurs exactly once. */
export function applyMutant({ guard, file, text, replacement }: Mutant, whole: string): string {
  const times = whole.split(text).length - 1;
  if (times === 1) return whole.replace(text, () => replacement);
  throw new Error(
    `mutant "${guard}": its text stands ${times} times in ${file}, not once: bring the mutant up to date`,
  );
}

interface Report {
  testResults: { name: string; message: string; assertionResults: { fullName: string; status: string }[] }[];
}

async function runTests(
  root: string,
  { tests, only }: Pick<Mutant, "tests" | "only">,
  patienceMs: number,
): Promise<Verdict> {
  const out = join(root, "report.json");
  rmSync(out, { force: true });
  const args = ["run", ...tests, "--reporter=json", `--outputFile=${out}`, "--bail=1", "--cache=false"];
  const child = spawn(join(root, "node_modules", ".bin", "vitest"), [...args, ...(only ? ["-t", only] : [])], {
    cwd: root,
    stdio: "ignore",
    detached: true,
  });
  const timer = setTimeout(() => process.kill(-child.pid!, "SIGKILL"), patienceMs);
  const code = await new Promise((resolve) => child.once("exit", (status, signal) => resolve(status ?? signal)));
  clearTimeout(timer);
  return readReport(out, code);
}

function readReport(out: string, code: unknown): Verdict {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(out, "utf8")) as Report;
  } catch {
    return { passed: 0, failed: [], broken: `vitest ended with ${String(code)} and no report` };
  }
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = results.filter(({ status }) => status === "failed").map(({ fullName }) => fullName);
  const passed = results.filter(({ status }) => status === "passed").length;
  const [message] = report.testResults.map((file) => file.message).filter((text) => text !== "");
  if (failed.length === 0 && passed === 0) return { passed, failed, broken: message ?? "no test has that name" };
  return { passed, failed };
}
