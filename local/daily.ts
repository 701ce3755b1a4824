import type { Clock } from "../lambdas/ports.ts";
import type { RunLedger } from "./run-ledger.ts";

const dayMs = 24 * 3_600_000;

/**
 * Says which of some workflows are due: those whose last run, of whatever outcome, began a day ago. One that never ran is
 * due a day after `since` (milliseconds since 1970), so that a new home is left alone.
 */
export async function dueDaily(
  workflows: readonly string[],
  { runs, since, clock }: { runs: Pick<RunLedger, "lastStart">; since: number; clock: Clock },
): Promise<string[]> {
  const due = [];
  for (const workflow of workflows) {
    const last = (await runs.lastStart(workflow)) ?? since;
    if (clock() - last >= dayMs) due.push(workflow);
  }
  return due;
}
