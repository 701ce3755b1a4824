import { type PipelineStatus, type WorkflowRun } from "../targets/pipeline-api.ts";
import type { Problem } from "../targets/problems.ts";
import { count, money, oneLine, paint } from "./output.ts";

/** Formats a pipeline's status as text: what is wrong first, each with what to do, then every layer. */
export function statusText(status: PipelineStatus, problems: readonly Problem[]): string {
  const { ongoing = [], setAside, silver, gold, workflows, postgres, memory, disk } = status;
  const mib = (bytes: number) => `${count(Math.round(bytes / 1024 / 1024))} MiB`;
  const lines = [
    ...problems.flatMap(problemLines),
    `pipeline    ${location(status)}`,
    ...ongoing.map(({ operation, since }) => `busy        ${operation} since ${since}, ${duration(since, status.at)}`),
    `stream      ${stream(status)}`,
    `bronze      ${bronze(status)}`,
    ...(setAside ?? []).map(
      ({ key, records, setAsideAt, reason }) =>
        `SET ASIDE   ${count(records)} records since ${setAsideAt ?? "an unknown time"}: ${oneLine(reason ?? "reason unknown")}; ${key}; see ./pizza retry`,
    ),
    `silver      ${silver === null ? unknown : `version ${silver.version}: ${count(silver.lines)} order lines, ${count(silver.days)} days, ${count(silver.files)} files`}`,
    `quarantine  ${quarantine(status)}`,
    `gold        ${gold === null ? unknown : `${count(gold.windows)} days from silver version ${gold.silverVersion}, published ${gold.publishedAt ?? "never"}; ${count(gold.corrections)} corrections`}`,
    `freshness   ${freshness(status)}`,
    ...(status.stores === undefined ? [] : [`stores      ${stores(status)}`]),
    `receipt     ${receipt(status)}`,
    `quality     ${quality(status)}`,
    ...workflows.map((run) => `workflow    ${workflow(run, status)}`),
    `postgresql  ${postgres === null ? unknown : `${postgres.host}:${postgres.port}`}`,
    ...(disk === undefined ? [] : [`disk        ${mib(disk.freeBytes)} free`]),
    ...(memory === undefined ? [] : [`memory      ${mib(memory.rssBytes)}`]),
  ];
  return lines.join("\n");
}

const unknown = "unknown";

function problemLines({ severity, happened, next }: Problem): string[] {
  const label = severity === "attention" ? "ATTENTION" : "PROBLEM";
  const colour = severity === "attention" ? "bold" : "red";
  return [`${paint(label.padEnd(10), colour)}  ${oneLine(happened)}`, `            ${oneLine(next)}`];
}

function location({ dir, deployment, process: running }: PipelineStatus): string {
  if (deployment !== undefined) return `${deployment.environment} in ${deployment.region}`;
  if (running === undefined) return `${dir}, not running`;
  const { pid, startedAt, state } = running;
  if (state === "killed") return `${dir}, killed: process ${pid}, which ran since ${startedAt}`;
  return `${dir}, process ${pid} since ${startedAt}${state === "hung" ? ", does not answer" : ""}`;
}

function stream({ deployment, stream: found }: PipelineStatus): string {
  if (found === null) return unknown;
  const { shards, records, bytes, shardsBehind, waitingSeconds } = found;
  const name = deployment === undefined ? "" : `${deployment.stream}, `;
  const size = records === undefined || bytes === undefined ? "" : `, ${count(records)} records, ${count(bytes)} bytes`;
  const waiting = waitingSeconds === undefined ? "" : `, the oldest record is ${count(waitingSeconds)} s old`;
  const behind = shardsBehind === 0 ? "all landed" : `${shardsBehind} shards still landing${waiting}`;
  return `${name}${shards} shards${size}; ${behind}`;
}

function bronze({ deployment, landing }: PipelineStatus): string {
  if (landing === null) return unknown;
  const { invocations, errors, onFailureRecords, failing } = landing;
  const landings =
    deployment === undefined
      ? `${count(invocations ?? 0)} landings since start, ${errors ?? 0} errors`
      : `landing: ${deployment.landing}`;
  const why = failing === undefined ? "" : `; FAILING since ${failing.since}: ${oneLine(failing.error)}`;
  return `${landings}, ${onFailureRecords} records in the on-failure destination${why}`;
}

function quarantine({ quarantine: found, at }: PipelineStatus): string {
  if (found === null) return unknown;
  const { events, open } = found;
  if (open === null) return `${count(events)} events ever rejected; how many are open is unknown`;
  if (open.events === 0) return `0 events open; ${count(events)} ever rejected`;
  const unreadable = open.unreadable === 0 ? "" : ` without ${count(open.unreadable)} whose amount is unreadable`;
  const oldest = open.oldestAt === null ? "" : `, the oldest ${ago(open.oldestAt, at)}`;
  return `${count(open.events)} events open, quarantined amount ${money(open.cents)}${unreadable}${oldest}; ${count(events)} ever rejected`;
}

function freshness({ freshness: found, gold }: PipelineStatus): string {
  if (found === null) return gold === null ? unknown : "no orders yet";
  const { medianSeconds, p95Seconds, orders } = found;
  return `from sent to visible in gold: median ${medianSeconds} s, 95 % within ${p95Seconds} s (${count(orders)} orders)`;
}

function stores({ stores: found }: PipelineStatus): string {
  if (found == null) return unknown;
  const byTime = found.stores.toSorted((a, b) => (a.lastOrderAt < b.lastOrderAt ? -1 : 1));
  const [oldest, newest] = [byTime[0], byTime.at(-1)];
  if (oldest === undefined || newest === undefined) return "no orders yet";
  const moment = (time: string) => `${time.slice(0, 19)}Z`;
  return `${byTime.length} stores, newest order ${moment(newest.lastOrderAt)} (${newest.store}), longest without one: ${oldest.store} since ${moment(oldest.lastOrderAt)}`;
}

function receipt({ receipt: found, gold, at }: PipelineStatus): string {
  if (found === null) return gold === null ? unknown : "none stored yet: ./pizza run data_quality";
  const { checkedAt, balanced, findings } = found;
  return `${balanced ? "BALANCED" : `DOES NOT BALANCE, ${findings} findings`}, checked ${checkedAt}, ${ago(checkedAt, at)}`;
}

function quality({ quality: found, gold, at }: PipelineStatus): string {
  if (found === null) return gold === null ? unknown : "not checked yet: ./pizza run data_quality";
  const { checkedAt, rules, errors, warnings } = found;
  const red = [...errors.map((rule) => `${rule} (error)`), ...warnings.map((rule) => `${rule} (warning)`)];
  return `${red.length === 0 ? `${rules} rules are green` : `${red.length} of ${rules} rules are red: ${red.join(", ")}`}, checked ${checkedAt}, ${ago(checkedAt, at)}`;
}

function workflow(
  { workflow: name, startedAt, milliseconds, isRunning, state, stateSince, error, earlier }: WorkflowRun,
  { at }: PipelineStatus,
): string {
  const where = state === undefined ? "" : ` in "${state}"${stateSince ? ` for ${duration(stateSince, at)}` : ""}`;
  const end = isRunning === true ? `, still running${where}` : error === undefined ? "" : `, FAILED: ${oneLine(error)}`;
  return `${name}, ${startedAt}, ${milliseconds} ms${end}${history(earlier)}`;
}

function history(earlier: WorkflowRun["earlier"]): string {
  if (earlier.length === 0) return "";
  const failed = earlier.filter(({ error }) => error !== undefined).length;
  return `; ${earlier.length} earlier ${earlier.length === 1 ? "run" : "runs"}, ${failed === 0 ? "none" : failed} failed`;
}

const ago = (from: string, until: string): string => `${duration(from, until)} ago`;

/** The time between two moments, in its largest unit: `12 s`, `5 min`, `3 h` or `2 d`. */
export function duration(from: string, until: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(until) - Date.parse(from)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
