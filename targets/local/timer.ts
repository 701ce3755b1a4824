import type { Clock } from "../../pipeline/ports.ts";
import type { RunLedger } from "./run-ledger.ts";
import { dayMs } from "../../pipeline/domain/dates.ts";

/** A task that runs again and again, never twice at once, and sooner when it is woken. */
export interface Timer {
  /** Something came: run soon, but not more often than the interval allows. */
  wake(): void;
  /** Runs the task now, after the one under way, and tells its outcome. */
  runNow<Result>(task: () => Promise<Result>): Promise<Result>;
  stop(): Promise<void>;
}

/** Milliseconds that only ever rise: a clock that is set back must not hold the next turn up. */
const now = () => performance.now();

/**
 * Calls `task` at the most every `intervalMs` when woken, and every `idleMs` without (never, where that is infinite). A task
 * that throws is told to `onError` and tried again at the next turn.
 */
export function startTimer({
  task,
  intervalMs,
  idleMs,
  onError,
}: {
  task: () => Promise<void>;
  intervalMs: number;
  idleMs: number;
  onError: (error: Error) => void;
}): Timer {
  let last: Promise<unknown> = Promise.resolve();
  let stopped = false;
  let due: NodeJS.Timeout | undefined;
  let dueAt = Infinity;
  let startedAt = -Infinity;

  function schedule(delayMs: number): void {
    const at = now() + delayMs;
    if (stopped || at >= dueAt) return;
    clearTimeout(due);
    dueAt = at;
    due = setTimeout(turn, delayMs);
  }

  function turn(): void {
    dueAt = Infinity;
    startedAt = now();
    void inLine(task)
      .catch(onError)
      .then(() => schedule(idleMs));
  }

  /** One after another: a workflow never runs beside itself. */
  function inLine<Result>(job: () => Promise<Result>): Promise<Result> {
    const next = last.then(job, job);
    last = next.catch(() => {});
    return next;
  }

  schedule(idleMs);
  return {
    wake: () => schedule(Math.max(0, startedAt + intervalMs - now())),
    runNow: inLine,
    async stop() {
      stopped = true;
      clearTimeout(due);
      await last;
    },
  };
}

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
