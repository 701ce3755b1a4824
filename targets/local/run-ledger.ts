import type { Clock, Warehouse } from "../../pipeline/ports.ts";
import type { EndedRun, WorkflowRun } from "../pipeline-api.ts";

type RunOutput = Record<string, unknown>;

/** A run that changed something, or failed. */
export interface NotedRun {
  workflow: string;
  /** Milliseconds since 1970. */
  started: number;
  ended: number;
  output: RunOutput;
  error?: string;
}

/** Runs per workflow in the status. */
const mostShown = 10;

/** Writes `ops.runs`: one row per workflow run that changed something or failed. */
export function createRunLedger({
  warehouse,
  clock,
  onRun = () => {},
}: {
  warehouse: Warehouse;
  clock: Clock;
  /** Called with every recorded run. */
  onRun?: (run: NotedRun) => void;
}) {
  /** The newest run of each workflow in this process, including one whose row could not be written. */
  const newest = new Map<string, EndedRun>();

  /** The runs in progress, each with the state that it is in. */
  const running = new Map<string, { started: number; state?: string; stateStarted: number }>();

  /** Runs a workflow and records it; rethrows its error. `run` is given what it calls when it enters a state. */
  async function record(
    workflow: string,
    run: (onState: (state: string) => void) => Promise<RunOutput>,
  ): Promise<RunOutput> {
    const started = clock();
    const progress: { started: number; state?: string; stateStarted: number } = { started, stateStarted: started };
    running.set(workflow, progress);
    try {
      const output = await run((state) => Object.assign(progress, { state, stateStarted: clock() }));
      if (hasDone(output)) await note({ workflow, started, ended: clock(), output });
      return output;
    } catch (error) {
      await note({ workflow, started, ended: clock(), output: {}, error: (error as Error).message });
      throw error;
    } finally {
      running.delete(workflow);
    }
  }

  async function note(run: NotedRun): Promise<void> {
    const { workflow, started, ended, output, error } = run;
    onRun(run);
    const startedAt = new Date(started).toISOString();
    const milliseconds = ended - started;
    newest.set(workflow, { startedAt, milliseconds, ...(error !== undefined && { error }) });
    // The run may have failed because this same warehouse is unavailable.
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

  /** Runs of a workflow, newest first, including those of earlier processes. */
  async function runsOf(workflow: string): Promise<EndedRun[]> {
    const rows = await warehouse.query<{ started_at: string; milliseconds: string; error: string | null }>(
      `select
           to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as started_at,
           milliseconds,
           error
       from ops.runs
       where workflow = $1
       order by id desc
       limit ${mostShown}`,
      [workflow],
    );
    const kept = rows.map(({ started_at: startedAt, milliseconds, error }) => ({
      startedAt,
      milliseconds: Number(milliseconds),
      ...(error !== null && { error }),
    }));
    const last = newest.get(workflow);
    return last === undefined || last.startedAt === kept[0]?.startedAt ? kept : [last, ...kept].slice(0, mostShown);
  }

  /** Puts the runs in progress, which no table has yet, before the finished ones of their workflow. */
  function withRunning(finished: readonly WorkflowRun[]): WorkflowRun[] {
    const now = clock();
    const inProgress = [...running].map(([workflow, { started, state, stateStarted }]): WorkflowRun => {
      const { workflow: _, earlier = [], ...last } = finished.find((run) => run.workflow === workflow) ?? {};
      return {
        workflow,
        startedAt: new Date(started).toISOString(),
        milliseconds: now - started,
        isRunning: true,
        ...(state !== undefined && { state, stateSince: new Date(stateStarted).toISOString() }),
        earlier: "startedAt" in last ? [last as EndedRun, ...earlier].slice(0, mostShown - 1) : [],
      };
    });
    return [...inProgress, ...finished.filter(({ workflow }) => !running.has(workflow))];
  }

  return {
    record,
    withRunning,
    /** The newest recorded run of each of these workflows, with the runs before it. */
    async recent(workflows: readonly string[]): Promise<WorkflowRun[]> {
      const runs = await Promise.all(workflows.map(async (workflow) => ({ workflow, runs: await runsOf(workflow) })));
      return runs.flatMap(({ workflow, runs: [last, ...earlier] }) =>
        last === undefined ? [] : [{ workflow, ...last, earlier }],
      );
    },
    /** Start of a workflow's newest recorded run, milliseconds since 1970; undefined if there is none. */
    async lastStart(workflow: string): Promise<number | undefined> {
      if (!newest.has(workflow)) {
        const [last] = await runsOf(workflow);
        if (last !== undefined) newest.set(workflow, last);
      }
      const { startedAt } = newest.get(workflow) ?? {};
      return startedAt === undefined ? undefined : Date.parse(startedAt);
    },
  };
}

export type RunLedger = ReturnType<typeof createRunLedger>;

/** Whether a run changed anything; timer runs without work are not recorded. */
function hasDone(output: RunOutput): boolean {
  const refined = output["refined"] as { bronzeObjects?: number } | undefined;
  const plan = output["plan"] as { batches?: unknown[]; customersDue?: boolean } | undefined;
  return (
    output["receipt"] !== undefined ||
    output["backup"] !== undefined ||
    output["rebuilt"] !== undefined ||
    (refined?.bronzeObjects ?? 0) > 0 ||
    (plan?.batches?.length ?? 0) > 0 ||
    plan?.customersDue === true
  );
}
