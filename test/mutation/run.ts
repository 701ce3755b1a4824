/** `npm run mutate`: breaks each guard in a copy of the project, one at a time, and reports which test failed. */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { wholeNumber } from "../../bin/options.ts";
import { scriptOptions } from "../../scripts/script-options.ts";
import type { Mutant } from "./mutant.ts";
import { copyTree, type Verdict } from "./mutated-tree.ts";
import { allMutants } from "./mutants.ts";
import { withTable } from "./table.ts";

const usage = `npm run mutate -- [--only TEXT] [--jobs N] [--skip-baseline] | --table

  --only           the mutants whose guard or file has this text in its name
  --jobs           mutants at once, one for each core without it
  --skip-baseline  does not run the tests without a mutant first
  --table          breaks nothing, and brings the list in docs/mutants.md up to date`;
const { only, jobs, hasBaseline, isTable } = scriptOptions(
  {
    usage,
    options: {
      only: { type: "string" },
      jobs: { type: "string" },
      table: { type: "boolean" },
      "skip-baseline": { type: "boolean" },
    },
  },
  (values) => ({
    only: String(values["only"] ?? ""),
    jobs: wholeNumber(values, "jobs", { min: 1, max: 64 }) ?? availableParallelism(),
    hasBaseline: values["skip-baseline"] !== true,
    isTable: values["table"] === true,
  }),
);
const page = new URL("../../docs/mutants.md", import.meta.url);
if (isTable) writeFileSync(page, withTable(readFileSync(page, "utf8")));
else process.exitCode = await runAll();

async function runAll(): Promise<number> {
  const chosen = allMutants.filter(({ guard, file }) => `${guard} ${file}`.includes(only));
  const started = Date.now();
  const trees = Array.from({ length: jobs }, copyTree);
  try {
    if (hasBaseline) await checkBaseline(trees[0]!, chosen);
    const survivors: string[] = [];
    const waiting = [...chosen];
    await Promise.all(
      trees.map(async (tree) => {
        for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
          const verdict = await tree.runMutant(mutant);
          process.stdout.write(`${lineOf(mutant, verdict)}\n`);
          if (verdict.failed.length === 0) survivors.push(mutant.guard);
        }
      }),
    );
    const dead = chosen.length - survivors.length;
    process.stdout.write(`\n${dead} of ${chosen.length} mutants died, ${seconds(started)} s\n`);
    return survivors.length === 0 ? 0 : 1;
  } finally {
    for (const tree of trees) tree.remove();
  }
}

/** A test that fails without the mutant says nothing about it. */
async function checkBaseline(tree: ReturnType<typeof copyTree>, chosen: readonly Mutant[]): Promise<void> {
  const started = Date.now();
  const tests = [...new Set(chosen.flatMap((mutant) => mutant.tests))];
  const { passed, failed, broken } = await tree.run(tests);
  if (broken !== undefined || failed.length > 0) {
    throw new Error(`without a mutant ${broken ?? failed.join(", ")} is red: mend that first`);
  }
  process.stdout.write(
    `${passed} tests in ${tests.length} files are green without a mutant, ${seconds(started)} s\n\n`,
  );
}

function lineOf({ guard, file }: Mutant, { failed, broken }: Verdict): string {
  const [test] = failed;
  if (test !== undefined) return `died      ${guard}\n          ${file}: ${test}`;
  return `SURVIVED  ${guard}\n          ${file}: ${broken ?? "every test is green"}`;
}

function seconds(started: number): number {
  return Math.round((Date.now() - started) / 1000);
}
