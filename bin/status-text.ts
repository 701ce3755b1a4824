import type { PipelineStatus, WorkflowRun } from "../targets/pipeline-api.ts";
import { count, oneLine } from "./output.ts";

/** Formats a pipeline's status as text. */
export function statusText(status: PipelineStatus): string {
  const { setAside, silver, quarantine, gold, workflows, postgres, memory } = status;
  return [
    `pipeline    ${location(status)}`,
    `stream      ${stream(status)}`,
    `bronze      ${bronze(status)}`,
    ...setAside.map(
      ({ key, records, setAsideAt, reason }) =>
        `SET ASIDE   ${count(records)} records since ${setAsideAt ?? "an unknown time"}: ${oneLine(reason ?? "reason unknown")}; ${key}; see ./pizza retry`,
    ),
    `silver      version ${silver.version}: ${count(silver.lines)} order lines, ${count(silver.days)} days, ${count(silver.files)} files`,
    `quarantine  ${count(quarantine.events)} events`,
    `gold        ${count(gold.windows)} days from silver version ${gold.silverVersion}, published ${gold.publishedAt ?? "never"}; ${count(gold.corrections)} corrections`,
    `freshness   ${freshness(status)}`,
    `quality     ${quality(status)}`,
    ...workflows.map((run) => `workflow    ${workflow(run)}`),
    `postgresql  ${postgres.host}:${postgres.port}`,
    ...(memory === undefined ? [] : [`memory      ${count(Math.round(memory.rssBytes / 1024 / 1024))} MiB`]),
  ].join("\n");
}

function location({ dir, deployment, process: running }: PipelineStatus): string {
  if (deployment !== undefined) return `${deployment.environment} in ${deployment.region}`;
  return `${dir}${running ? `, process ${running.pid} since ${running.startedAt}` : ", not running"}`;
}

function stream({
  deployment,
  stream: { shards, records, bytes, shardsBehind, waitingSeconds },
}: PipelineStatus): string {
  const name = deployment === undefined ? "" : `${deployment.stream}, `;
  const size = records === undefined || bytes === undefined ? "" : `, ${count(records)} records, ${count(bytes)} bytes`;
  const waiting = waitingSeconds === undefined ? "" : `, the oldest record is ${count(waitingSeconds)} s old`;
  const behind = shardsBehind === 0 ? "all landed" : `${shardsBehind} shards still landing${waiting}`;
  return `${name}${shards} shards${size}; ${behind}`;
}

function bronze({ deployment, landing: { invocations, errors, onFailureRecords } }: PipelineStatus): string {
  const landings =
    deployment === undefined
      ? `${count(invocations ?? 0)} landings since start, ${errors ?? 0} errors`
      : `landing: ${deployment.landing}`;
  return `${landings}, ${onFailureRecords} records in the on-failure destination`;
}

function freshness({ freshness: found }: PipelineStatus): string {
  if (found === null) return "no orders yet";
  const { medianSeconds, p95Seconds, orders } = found;
  return `from sent to visible in gold: median ${medianSeconds} s, 95 % within ${p95Seconds} s (${count(orders)} orders)`;
}

function quality({ quality: found }: PipelineStatus): string {
  if (found === null) return "not checked yet: ./pizza run data_quality";
  const { checkedAt, rules, errors, warnings } = found;
  const red = [...errors.map((rule) => `${rule} (error)`), ...warnings.map((rule) => `${rule} (warning)`)];
  return `${red.length === 0 ? `${rules} rules are green` : `${red.length} of ${rules} rules are red: ${red.join(", ")}`}, checked ${checkedAt}`;
}

function workflow({ workflow: name, startedAt, milliseconds, isRunning, error, earlier }: WorkflowRun): string {
  const end = isRunning === true ? ", still running" : error === undefined ? "" : `, FAILED: ${oneLine(error)}`;
  return `${name}, ${startedAt}, ${milliseconds} ms${end}${history(earlier)}`;
}

function history(earlier: WorkflowRun["earlier"]): string {
  if (earlier.length === 0) return "";
  const failed = earlier.filter(({ error }) => error !== undefined).length;
  return `; ${earlier.length} earlier ${earlier.length === 1 ? "run" : "runs"}, ${failed === 0 ? "none" : failed} failed`;
}
