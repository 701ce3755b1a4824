import { choicesOfSeed } from "./choices.ts";
import { type Coverage, addCoverage } from "./coverage.ts";
import { runHistory } from "./history.ts";
import { openLaboratory, type Database } from "./laboratory.ts";
import { shrink } from "./shrink.ts";

/** The seeds for a worker, or the end. */
export type Request = { from: number; count: number } | "end";

export interface Answer {
  histories: number;
  steps: number;
  coverage: Coverage;
  /** The first history that violates an invariant, and its shortest variant. */
  failure?: Failure;
}

export interface Failure {
  seed: number;
  violations: string[];
  shortest: { violations: string[]; steps: number; trace: readonly string[] };
}

// A separate process: its PostgreSQL connection, DuckDB and random numbers belong to one history at a time.
const database: Database = JSON.parse(process.argv[2]!);
const laboratory = await openLaboratory(database);
process.on("message", (request: Request) => {
  void (request === "end" ? end() : work(request))
    .then((answer) => answer && process.send!(answer))
    .catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
});
process.send!({ histories: 0, steps: 0, coverage: { faults: {}, guards: {} } } satisfies Answer);

async function work({ from, count }: { from: number; count: number }): Promise<Answer> {
  const answer: Answer = { histories: 0, steps: 0, coverage: { faults: {}, guards: {} } };
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await runHistory(choicesOfSeed(seed), laboratory);
    answer.histories++;
    answer.steps += outcome.steps;
    addCoverage(answer.coverage, outcome.coverage);
    if (outcome.violations.length === 0) continue;
    const { violations, steps, trace } = await shrink(outcome, laboratory);
    return { ...answer, failure: { seed, violations: outcome.violations, shortest: { violations, steps, trace } } };
  }
  return answer;
}

async function end(): Promise<undefined> {
  await laboratory.close();
  process.disconnect();
}
