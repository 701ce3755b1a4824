import { hash } from "node:crypto";
import { listBronze } from "../bronze/list-bronze.ts";
import type { DeltaTable } from "../delta/table.ts";
import type { Clock, ObjectStore, StartOutcome, WorkflowRunState, WorkflowStarter } from "../ports.ts";
import { hourMs, utcHour } from "../domain/dates.ts";

/** What a start looks at to see whether there is anything new. */
export interface WorkflowContext {
  store: ObjectStore;
  onFailure: ObjectStore;
  stream: string;
  silver: DeltaTable;
  starter: WorkflowStarter;
  clock: Clock;
}

/** What a schedule asks for: a workflow, with the input of a run by hand. */
export interface ScheduledStart {
  workflow: string;
  input: object;
}

/** What a start did; the execution's name says for what. */
export interface StartSummary {
  workflow: string;
  execution: string;
  outcome: StartOutcome;
}

/**
 * Starts a workflow under a name made of a time and of what the workflow would work on. A name is used once, so a schedule
 * that fires twice, or with nothing new, starts nothing. Where the newest run failed it is tried again after a pause.
 */
export async function startWorkflow(
  place: WorkflowContext,
  { workflow, input }: ScheduledStart,
): Promise<StartSummary> {
  const { starter, clock } = place;
  const execution = await nameOf(place, workflow);
  const first = { workflow, name: execution, input: scheduledInput(workflow, input, clock()) };
  const outcome = await starter.start(first);
  if (outcome !== "already started") return { workflow, execution, outcome };
  const again = nameAfter(execution, await starter.newest(workflow), clock());
  if (again === undefined) return { workflow, execution, outcome };
  const second = { workflow, name: again, input: scheduledInput(workflow, input, clock(), "full") };
  return { workflow, execution: again, outcome: await starter.start(second) };
}

/**
 * The name of another try of a run: it says which run failed, so that each failure is followed by one try. Undefined where
 * the newest run has not failed, or ended less than the pause ago.
 */
function nameAfter(execution: string, newest: WorkflowRunState | undefined, now: number): string | undefined {
  if (!newest?.hasFailed || now < (newest.endedAt ?? newest.startedAt) + pauseMs) return undefined;
  return `${execution}-after-${new Date(newest.startedAt).toISOString().slice(0, 19).replaceAll(":", "-")}`;
}

/**
 * A run by hand looks everywhere and publishes rows per customer, the slow part, at once. A schedule looks everywhere at the
 * beginning of an hour, and publishes rows per customer when they are due. After a failure it looks everywhere, too: the run
 * that failed may have been the one that would have.
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

async function nameOf(place: WorkflowContext, workflow: string): Promise<string> {
  const now = place.clock();
  if (workflow === "bronze_to_silver") return `${utcHour(now)}-v${await bronzeVersion(place)}`;
  if (workflow === "silver_to_gold") return await silverName(place);
  return workflow === "data_quality" ? utcHour(now).slice(0, 10) : utcHour(now);
}

const sweepMs = hourMs / 12;
const restMs = 2 * hourMs;

/** From the end of a failed run to its next try: at most six an hour, and gold soon follows where the cause has gone. */
const pauseMs = hourMs / 6;

/**
 * Each new hour starts one run even without a change, for rows per customer that were not due; two hours after silver's
 * last commit days take their place, so that a database that has paused is left alone.
 */
async function silverName({ silver, clock }: WorkflowContext): Promise<string> {
  const { version, transactions } = await silver.snapshot();
  if (version < 0) return "empty";
  const committedAt = Math.max(...[...transactions.values()].map(({ lastUpdated }) => lastUpdated));
  const hour = utcHour(clock());
  return `${clock() < committedAt + restMs ? hour : hour.slice(0, 10)}-v${version}`;
}

/** Changes with every bronze object of the last two hours, and with every object in the on-failure store. */
async function bronzeVersion({ store, onFailure, stream, clock }: WorkflowContext): Promise<string> {
  const fromHour = utcHour(clock() - hourMs);
  const [landed, failed] = await Promise.all([listBronze(store, stream, { fromHour }), onFailure.list("")]);
  const keys = [...failed, ...landed].map(({ key }) => key);
  return hash("sha256", keys.join("\n"), "hex").slice(0, 12);
}
