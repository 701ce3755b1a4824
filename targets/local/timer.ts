import type { Clock } from "../../pipeline/ports.ts";
import type { RunLedger } from "./run-ledger.ts";
import { dayMs } from "../../pipeline/domain/dates.ts";

/** A periodic task that never overlaps itself and can be triggered early. */
export interface Timer {
  /** Runs the task as soon as the interval allows. */
  wake(): void;
  /** Runs a task after the one in progress and returns its result. */
  runNow<Result>(task: () => Promise<Result>): Promise<Result>;
  stop(): Promise<void>;
}

/** Monotonic milliseconds: a wall clock that is set back must not delay the next run. */
const now = () => performance.now();

/**
 * Runs `task` at most every `intervalMs` when woken, otherwise every `idleMs` (never, if that is infinite). Errors go
 * to `onError`, and the task runs again at the next turn.
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

  /** Runs jobs one at a time, so that a workflow never overlaps itself. */
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
 * The workflows that are due: those whose last run, successful or not, started at least a day ago. One that has never
 * run is due a day after `since` (milliseconds since 1970), so that a new pipeline does not start with them.
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
