import { hash } from "node:crypto";
import { listBronze } from "../bronze/list-bronze.ts";
import type { DeltaTable } from "../delta/table.ts";
import type { Clock, ObjectStore, StartOutcome, WorkflowRunState, WorkflowStarter } from "../ports.ts";
import { hourMs, utcHour } from "../domain/dates.ts";

/** The stores and tables that show whether there is new work, and the starter. */
export interface WorkflowContext {
  store: ObjectStore;
  onFailure: ObjectStore;
  stream: string;
  silver: DeltaTable;
  starter: WorkflowStarter;
  clock: Clock;
}

/** What a schedule starts: a workflow, with the input of a manual run. */
export interface ScheduledStart {
  workflow: string;
  input: object;
}

/** What a start did. The execution's name identifies the work. */
export interface StartSummary {
  workflow: string;
  execution: string;
  outcome: StartOutcome;
}

/**
 * Starts a workflow under a name derived from the time and the pending work. Execution names are unique, so a schedule
 * that fires twice, or without new work, starts nothing. A failed run is retried after a pause.
 */
export async function startWorkflow(
  context: WorkflowContext,
  { workflow, input }: ScheduledStart,
): Promise<StartSummary> {
  const { starter, clock } = context;
  const execution = await nameOf(context, workflow);
  const first = { workflow, name: execution, input: scheduledInput(workflow, input, clock()) };
  const outcome = await starter.start(first);
  if (outcome !== "already started") return { workflow, execution, outcome };
  const again = nameAfter(execution, await starter.newest(workflow), clock());
  if (again === undefined) return { workflow, execution, outcome };
  const second = { workflow, name: again, input: scheduledInput(workflow, input, clock(), "full") };
  return { workflow, execution: again, outcome: await starter.start(second) };
}

/**
 * Returns the name of a retry, which contains the start of the failed run, so that each failure is retried once.
 * Undefined if the newest run has not failed, or ended less than the pause ago.
 */
function nameAfter(execution: string, newest: WorkflowRunState | undefined, now: number): string | undefined {
  if (!newest?.hasFailed || now < (newest.endedAt ?? newest.startedAt) + pauseMs) return undefined;
  return `${execution}-after-${new Date(newest.startedAt).toISOString().slice(0, 19).replaceAll(":", "-")}`;
}

/**
 * Returns the input of a scheduled run. A manual run makes a full sweep and publishes rows by customer, the slow part,
 * at once. A scheduled run makes a full sweep only at the beginning of an hour, and publishes rows by customer when
 * they are due. A retry makes a full sweep too, because the failed run may have been the one that should have made it.
 */
function scheduledInput(
  workflow: string,
  input: object,
  now: number,
  sweep = now % hourMs < sweepMs ? "full" : "recent",
): object {
  if (workflow === "silver_to_gold") return { ...input, customers: "when due" };
  if (workflow === "bronze_to_silver") return { ...input, sweep };
  return input;
}

async function nameOf(context: WorkflowContext, workflow: string): Promise<string> {
  const now = context.clock();
  if (workflow === "bronze_to_silver") return `${utcHour(now)}-v${await bronzeVersion(context)}`;
  if (workflow === "silver_to_gold") return await silverName(context);
  return workflow === "data_quality" ? utcHour(now).slice(0, 10) : utcHour(now);
}

const sweepMs = hourMs / 12;
const restMs = 2 * hourMs;

/** From the end of a failed run to its retry: at most six retries an hour, and soon after the cause is fixed. */
const pauseMs = hourMs / 6;

/**
 * Returns a name that changes with every silver version and every hour, for rows by customer that were not due before.
 * Two hours after silver's last commit it changes only once a day, so that an auto-paused database is not resumed.
 */
async function silverName({ silver, clock }: WorkflowContext): Promise<string> {
  const { version, transactions } = await silver.snapshot();
  if (version < 0) return "empty";
  const committedAt = Math.max(...[...transactions.values()].map(({ lastUpdated }) => lastUpdated));
  const hour = utcHour(clock());
  return `${clock() < committedAt + restMs ? hour : hour.slice(0, 10)}-v${version}`;
}

/**
 * Returns a hash that changes with every bronze object of the last two hours and every object in the on-failure store.
 */
async function bronzeVersion({ store, onFailure, stream, clock }: WorkflowContext): Promise<string> {
  const fromHour = utcHour(clock() - hourMs);
  const [landed, failed] = await Promise.all([listBronze(store, stream, { fromHour }), onFailure.list("")]);
  const keys = [...failed, ...landed].map(({ key }) => key);
  return hash("sha256", keys.join("\n"), "hex").slice(0, 12);
}
