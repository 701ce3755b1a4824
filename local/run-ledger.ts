import type { Clock, Warehouse } from "../lambdas/ports.ts";
import type { WorkflowRun } from "./home-api.ts";

type Output = Record<string, unknown>;

/** Keeps `ops.runs`, one row per run of a workflow that had something to do or failed. */
export function createRunLedger({ warehouse, clock }: { warehouse: Warehouse; clock: Clock }) {
  const newest = new Map<string, WorkflowRun>();

  /** Runs a workflow and notes it; what it throws is thrown on. */
  async function record(workflow: string, run: () => Promise<Output>): Promise<Output> {
    const started = clock();
    try {
      const output = await run();
      if (hasDone(output)) await note({ workflow, started, output });
      return output;
    } catch (error) {
      await note({ workflow, started, output: {}, error: (error as Error).message });
      throw error;
    }
  }

  async function note(run: { workflow: string; started: number; output: Output; error?: string }): Promise<void> {
    const { workflow, started, output, error } = run;
    const startedAt = new Date(started).toISOString();
    const milliseconds = clock() - started;
    newest.set(workflow, { workflow, startedAt, milliseconds, ...(error !== undefined && { error }) });
    // A run that failed may have failed for want of the very warehouse that would keep its row.
    await warehouse
      .query(
        `insert into ops.runs (workflow, started_at, milliseconds, output, error)
         values ($1, $2, $3, $4::jsonb, $5)`,
        [workflow, startedAt, milliseconds, JSON.stringify(output), error ?? null],
      )
      .catch((cause: Error) => {
        if (error === undefined) throw cause;
      });
  }

  return { record, newest: (): WorkflowRun[] => [...newest.values()] };
}

export type RunLedger = ReturnType<typeof createRunLedger>;

/** Whether a run changed anything; the timer's idle turns leave no row. */
function hasDone(output: Output): boolean {
  const refined = output["refined"] as { bronzeObjects?: number } | undefined;
  const plan = output["plan"] as { batches?: unknown[]; customersDue?: boolean } | undefined;
  return (
    output["receipt"] !== undefined ||
    (refined?.bronzeObjects ?? 0) > 0 ||
    (plan?.batches?.length ?? 0) > 0 ||
    plan?.customersDue === true
  );
}
