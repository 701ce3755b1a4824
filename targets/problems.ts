import { happened } from "../pipeline/domain/alarm-texts.ts";
import { dayMs, hourMs } from "../pipeline/domain/dates.ts";
import { noAnswer, type PipelineStatus, type WorkflowRun } from "./pipeline-api.ts";

/** How bad a problem is; each has an exit code of `./pizza status --check`. */
export type Severity = "attention" | "wrong data" | "broken" | "down";

/** The exit code of `./pizza status --check` for each severity; the worst problem counts. */
export const exitCodes: Record<Severity, number> = { attention: 4, "wrong data": 3, broken: 5, down: 6 };

const worstFirst: readonly Severity[] = ["down", "broken", "wrong data", "attention"];

/** Something that an operator should know, with what to do about it. */
export interface Problem {
  /** Stays the same while the problem lasts, such as `Run silver_to_gold`. */
  name: string;
  severity: Severity;
  happened: string;
  next: string;
}

/** A workflow in one state for longer is stuck, except those that copy or recompute everything. */
const stuckMs = 10 * 60_000;
const longRuns = new Set(["backup", "rebuild"]);
const stuckLongRunMs = 2 * hourMs;
/** Gold may be this far behind the tills for 95 % of the orders. */
const staleSeconds = 1800;
/** A daily run that is this late has failed to start. */
const lateRunMs = dayMs + 2 * hourMs;
/** Below this PostgreSQL and DuckDB begin to fail. */
const leastFreeBytes = 500 * 1024 * 1024;

/** The problems of a status, the worst first. */
export function problemsOf(status: PipelineStatus): Problem[] {
  const now = Date.parse(status.at);
  const pizza = status.deployment === undefined ? "./pizza" : "./pizza --target aws";
  const found = [
    ...processProblems(status),
    ...(status.process?.state === "hung" ? [] : status.notAnswering.map((part) => hung(part, status))),
    ...landingProblems(status),
    ...status.workflows.flatMap((run) => workflowProblems(run, { now, pizza })),
    ...layerProblems(status, pizza),
    ...dataProblems(status, { now, pizza }),
  ];
  return found.toSorted((a, b) => worstFirst.indexOf(a.severity) - worstFirst.indexOf(b.severity));
}

/** The exit code of `./pizza status --check`: that of the worst problem, 0 without any. */
export function checkCode(problems: readonly Problem[]): number {
  const [worst] = problems;
  return worst === undefined ? 0 : exitCodes[worst.severity];
}

function processProblems({ deployment, process: running, disk, notAnswering }: PipelineStatus): Problem[] {
  const problems: Problem[] = [];
  if (deployment === undefined && running === undefined) {
    problems.push({
      name: "Stopped",
      severity: "down",
      happened: "The pipeline is stopped: ./pizza stop ended it, or it was never started.",
      next: "./pizza start continues where it stopped.",
    });
  }
  if (running?.state === "killed") {
    problems.push({
      name: "Killed",
      severity: "down",
      happened: `The pipeline was killed: process ${running.pid} ended without ./pizza stop${lastSeen(running)}.`,
      next: "./pizza logs shows its last lines; ./pizza start continues, and no order is lost.",
    });
  }
  if (running?.state === "hung") {
    const reason = notAnswering[0]?.error;
    problems.push({
      name: "Hung",
      severity: "down",
      happened: `Process ${running.pid} runs but does not answer${reason === undefined ? "" : `: ${reason}`}${lastSeen(running)}.`,
      next:
        reason === undefined
          ? "./pizza restart kills it after 30 s; no order is lost."
          : `kill -CONT ${running.pid} continues it; ./pizza restart kills it after 30 s. No order is lost.`,
    });
  }
  if (disk !== undefined && disk.freeBytes < leastFreeBytes) {
    problems.push({
      name: "Disk",
      severity: "broken",
      happened: `The disk is full: ${Math.floor(disk.freeBytes / 1024 / 1024)} MiB are free.`,
      next: "Free some space; landing and the workflows then continue automatically.",
    });
  }
  return problems;
}

function lastSeen({ lastSeenAt }: { lastSeenAt?: string }): string {
  return lastSeenAt === undefined ? "" : `; it was last seen alive at ${lastSeenAt.slice(0, 19)}Z`;
}

function hung(part: PipelineStatus["notAnswering"][number], { deployment }: PipelineStatus): Problem {
  const local: Record<string, string> = {
    PostgreSQL: "./pizza restart stops it, by force if necessary, and starts it again.",
    DuckDB: "End the query that keeps it busy (Ctrl-C where it was started), or ./pizza restart.",
  };
  const next =
    deployment === undefined
      ? (local[part.part] ?? "Check the disk on which the data directory is; then ./pizza restart.")
      : "A paused database takes some 15 s: ./pizza --target aws status --timeout 60. Otherwise check the network.";
  return { name: `Answer ${part.part}`, severity: "broken", happened: upperFirst(`${noAnswer(part)}.`), next };
}

const upperFirst = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

function landingProblems({ landing, stream, deployment }: PipelineStatus): Problem[] {
  const problems: Problem[] = [];
  if (landing?.failing !== undefined) {
    const { since, error } = landing.failing;
    problems.push({
      name: "Landing",
      severity: "broken",
      happened: `${happened.Behind} Nothing lands since ${since.slice(0, 19)}Z: ${error}.`,
      next: "Mend the cause; landing then continues automatically, and the stream keeps every order until then.",
    });
  }
  if ((stream?.waitingSeconds ?? 0) > 600) {
    problems.push({
      name: "Landing",
      severity: "broken",
      happened: `${happened.Behind} Its oldest record is ${stream!.waitingSeconds} s old.`,
      next: "./pizza --target aws logs --function LandRecords shows why.",
    });
  }
  if ((landing?.onFailureRecords ?? 0) > 0 && deployment !== undefined) {
    problems.push({
      name: "BatchGivenUp",
      severity: "broken",
      happened: happened.BatchGivenUp,
      next: "Fix the cause in the log of LandRecords; the next run of bronze_to_silver lands the batch again.",
    });
  }
  return problems;
}

function workflowProblems(
  { workflow, error, isRunning, milliseconds, state, stateSince, earlier }: WorkflowRun,
  { now, pizza }: { now: number; pizza: string },
): Problem[] {
  const problems: Problem[] = [];
  const again = `${pizza} run ${workflow}`;
  const failure = error ?? (isRunning === true ? earlier[0]?.error : undefined);
  if (failure !== undefined) {
    problems.push({
      name: `Run ${workflow}`,
      severity: "broken",
      happened: `${happened.Run(workflow, "failed after all retries")} ${firstLine(failure)}`,
      next: `Mend the cause, then ${again}; every step is safe to run twice.`,
    });
  }
  const inState = stateSince === undefined ? milliseconds : now - Date.parse(stateSince);
  if (isRunning === true && inState > (longRuns.has(workflow) ? stuckLongRunMs : stuckMs)) {
    const where = state === undefined ? "" : ` in the state "${state}"`;
    problems.push({
      name: `Stuck ${workflow}`,
      severity: "broken",
      happened: `${workflow} is stuck${where} for ${Math.round(inState / 60_000)} minutes.`,
      next:
        pizza === "./pizza"
          ? "./pizza logs names what it waits for; ./pizza restart ends the run, and the next one does its work."
          : "Open the execution in the Step Functions console; stop it, and the next one does its work.",
    });
  }
  return problems;
}

function firstLine(text: string): string {
  return text.split("\n")[0]!;
}

function layerProblems(
  { setAside, quarantine, freshness, gold, stores, at }: PipelineStatus,
  pizza: string,
): Problem[] {
  const problems: Problem[] = [];
  const records = setAside?.reduce((sum, object) => sum + object.records, 0) ?? 0;
  if (setAside !== null && setAside.length > 0) {
    problems.push({
      name: "SetAside",
      severity: "broken",
      happened: `${happened.SetAside} ${setAside.length} objects, ${records} records.`,
      next: `${pizza} retry shows the reason; restore the object if it is damaged, then ${pizza} retry --all.`,
    });
  }
  const isRecent = gold?.publishedAt != null && Date.parse(at) - Date.parse(gold.publishedAt) < hourMs;
  if (freshness !== null && isRecent && freshness.p95Seconds > staleSeconds) {
    problems.push({
      name: "Freshness",
      severity: "attention",
      happened: `${happened.Freshness} 95 % of the newest orders were visible within ${freshness.p95Seconds} s.`,
      next: `Tills that were offline send late orders; if none was, ${pizza} logs names slow and failed runs.`,
    });
  }
  const silent = stores?.silent ?? [];
  if (silent.length > 0) {
    const others = silent.length > 3 ? `; and ${silent.length - 3} more` : "";
    problems.push({
      name: "SilentTills",
      severity: "attention",
      happened: `Stores or tills are silent: ${silent.slice(0, 3).join("; ")}${others}.`,
      next: "Call the store: it may be closed, or without power or network; its tills send later what they sold.",
    });
  }
  const open = quarantine?.open;
  if (open != null && open.events > 0) {
    problems.push({
      name: "Quarantine",
      severity: "attention",
      happened: `${open.events} rejected events are open.`,
      next: `${pizza} quarantine list groups them by reason; correct and resend them.`,
    });
  }
  return problems;
}

function dataProblems(
  { receipt, quality, deployment, silver }: PipelineStatus,
  { now, pizza }: { now: number; pizza: string },
): Problem[] {
  const problems: Problem[] = [];
  if (receipt?.balanced === false) {
    problems.push({
      name: "Receipt",
      severity: "wrong data",
      happened: `${happened.Receipt} ${receipt.findings} findings.`,
      next: `${pizza} verify lists the records. Bronze has everything, so every finding can be mended.`,
    });
  }
  if (quality !== null && quality.errors.length > 0) {
    problems.push({
      name: "Quality",
      severity: "wrong data",
      happened: `${happened.Quality} They are ${quality.errors.join(", ")}.`,
      next: `${pizza} quality shows each rule with its offenders and what to do.`,
    });
  }
  if (quality !== null && quality.warnings.length > 0) {
    problems.push({
      name: "QualityWarnings",
      severity: "attention",
      happened: `Quality rules warn: ${quality.warnings.join(", ")}.`,
      next: `${pizza} quality shows each rule with its offenders and what to do.`,
    });
  }
  const checkedAt = [receipt?.checkedAt, quality?.checkedAt]
    .filter((time) => time !== undefined)
    .toSorted()
    .at(-1);
  const isLate = checkedAt !== undefined && now - Date.parse(checkedAt) > lateRunMs;
  if (isLate && deployment === undefined && (silver?.lines ?? 0) > 0) {
    problems.push({
      name: "LateCheck",
      severity: "attention",
      happened: `The data were last checked at ${checkedAt.slice(0, 19)}Z, more than a day ago.`,
      next: `${pizza} run data_quality checks them now.`,
    });
  }
  return problems;
}
