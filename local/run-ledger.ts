import type { DeltaTable } from "../lambdas/lake/delta-table.ts";
import type { Clock, Warehouse } from "../lambdas/ports.ts";
import { readNote } from "../lambdas/silver/commit-note.ts";
import type { WorkflowRun } from "./home-api.ts";

type Output = Record<string, unknown>;

/**
 * Keeps `ops.runs`, one row per run of a workflow that had something to do or failed, and `ops.freshness`, how long
 * orders took from the till to gold.
 */
export async function createRunLedger({
  warehouse,
  silver,
  clock,
}: {
  warehouse: Warehouse;
  silver: DeltaTable;
  clock: Clock;
}) {
  const newest = new Map<string, WorkflowRun>();
  let { version: measuredVersion } = await silver.snapshot();

  /** Runs a workflow and notes it; what it throws is thrown on. */
  async function record(workflow: string, run: () => Promise<Output>): Promise<Output> {
    const started = clock();
    try {
      const output = await run();
      if (hasDone(output)) await note({ workflow, started, output });
      if (workflow === "silver_to_gold") await noteFreshness(output);
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

  /** The commits that this run made visible, each with the moments at which its orders were sent. */
  async function noteFreshness(output: Output): Promise<void> {
    const visible = (output["plan"] as { silverVersion?: number } | undefined)?.silverVersion ?? -1;
    const before = measuredVersion;
    if (visible <= before) return;
    measuredVersion = visible;
    const { commits } = (await silver.changes(before, visible)) ?? { commits: [] };
    const now = clock();
    const sent = commits.map((commit) => readNote(commit).sentAt).filter((sentAt) => sentAt !== undefined);
    const orders = sent.reduce((sum, part) => sum + part.orders, 0);
    if (orders === 0) return;
    const mean = (key: "p50" | "p95") =>
      sent.reduce((sum, part) => sum + (part.orders / orders) * (now / 1000 - part[key] / 1_000_000), 0);
    await warehouse.query(
      `insert into ops.freshness (published_at, silver_version, orders, median_seconds, p95_seconds)
       values ($1, $2, $3, $4, $5)`,
      [new Date(now).toISOString(), visible, orders, mean("p50"), mean("p95")],
    );
  }

  return { record, newest: (): WorkflowRun[] => [...newest.values()] };
}

export type RunLedger = Awaited<ReturnType<typeof createRunLedger>>;

/** Whether a run changed anything; the timer's idle turns leave no row. */
function hasDone(output: Output): boolean {
  const refined = output["refined"] as { bronzeObjects?: number } | undefined;
  const plan = output["plan"] as { batches?: unknown[]; customersDue?: boolean } | undefined;
  return (refined?.bronzeObjects ?? 0) > 0 || (plan?.batches?.length ?? 0) > 0 || plan?.customersDue === true;
}
