import type { Resource } from "./templates.ts";

/** The properties of a deployment that determine its cost, from its templates. */
export interface DeploymentSize {
  stream: { shards: number | "on-demand"; retentionHours: number };
  landing: { batchRecords: number; windowSeconds: number };
  /** Memory in MB by function name in the project. */
  functions: Record<string, number>;
  architecture: "arm64" | "x86_64";
  /** Scheduled starts per month by workflow. */
  starts: Record<string, number>;
  lakeSql: "athena" | "duckdb";
  aurora: { minAcu: number; maxAcu: number; autoPauseSeconds: number; instances: number } | undefined;
  keys: number;
  secrets: number;
  alarmMetrics: number;
  dashboards: number;
  isTraced: boolean;
  /** Whether S3 Bucket Keys reduce the KMS requests. */
  hasBucketKeys: boolean;
}

export const hoursAMonth = 730;
export const daysAMonth = hoursAMonth / 24;
const minutesAMonth = hoursAMonth * 60;

/** Derives the size of a deployment from its resources; `functionNames` are the project's functions. */
export function sizeOf(resources: readonly Resource[], functionNames: readonly string[]): DeploymentSize {
  const of = (type: string) =>
    resources.filter((resource) => resource.type === type).map(({ properties }) => properties);
  const mapping = one(of("AWS::Lambda::EventSourceMapping"), "event source mapping");
  const functions = functionsOf(resources, functionNames);
  return {
    stream: streamOf(one(of("AWS::Kinesis::Stream"), "stream")),
    landing: {
      batchRecords: Number(mapping["BatchSize"] ?? 100),
      windowSeconds: Number(mapping["MaximumBatchingWindowInSeconds"] ?? 0),
    },
    functions: Object.fromEntries([...functions].map(([name, { MemorySize }]) => [name, Number(MemorySize ?? 128)])),
    architecture: [...functions.values()].some(isArm) ? "arm64" : "x86_64",
    starts: startsOf(of("AWS::Scheduler::Schedule")),
    lakeSql: of("AWS::Athena::WorkGroup").length > 0 && usesAthena(functions) ? "athena" : "duckdb",
    aurora: auroraOf(of("AWS::RDS::DBCluster"), of("AWS::RDS::DBInstance").length),
    keys: of("AWS::KMS::Key").length,
    // RDS stores the owner's password in an additional secret.
    secrets: of("AWS::SecretsManager::Secret").length + of("AWS::RDS::DBCluster").length,
    alarmMetrics: of("AWS::CloudWatch::Alarm").reduce((sum, alarm) => sum + metricsOf(alarm), 0),
    dashboards: of("AWS::CloudWatch::Dashboard").length,
    isTraced: [...functions.values()].some(({ TracingConfig }) => TracingConfig !== undefined),
    hasBucketKeys: JSON.stringify(of("AWS::S3::Bucket")).includes('"BucketKeyEnabled":true'),
  };
}

type Properties = Resource["properties"];

function one(found: readonly Properties[], what: string): Properties {
  if (found.length === 1) return found[0]!;
  throw new Error(`template has ${found.length} resources of type ${what} instead of one: run make synth again`);
}

function streamOf({ ShardCount, StreamModeDetails, RetentionPeriodHours }: Properties): DeploymentSize["stream"] {
  const isOnDemand = (StreamModeDetails as { StreamMode?: string } | undefined)?.StreamMode === "ON_DEMAND";
  return {
    shards: isOnDemand ? "on-demand" : Number(ShardCount ?? 1),
    retentionHours: Number(RetentionPeriodHours ?? 24),
  };
}

/** A function's logical id contains its name; the longest matching name is the function's. */
function functionsOf(resources: readonly Resource[], names: readonly string[]): Map<string, Properties> {
  const functions = new Map<string, Properties>();
  const longestFirst = names.toSorted((a, b) => b.length - a.length);
  for (const { id, type, properties } of resources) {
    if (type !== "AWS::Lambda::Function") continue;
    const name = longestFirst.find((candidate) => id.includes(candidate));
    if (name !== undefined) functions.set(name, properties);
  }
  return functions;
}

const isArm = ({ Architectures }: Properties): boolean => JSON.stringify(Architectures ?? []).includes("arm64");

function usesAthena(functions: ReadonlyMap<string, Properties>): boolean {
  return [...functions.values()].some(({ Environment }) =>
    JSON.stringify(Environment ?? {}).includes('"LAKE_SQL":"athena"'),
  );
}

function auroraOf(clusters: readonly Properties[], instances: number): DeploymentSize["aurora"] {
  const [cluster] = clusters;
  if (cluster === undefined) return undefined;
  const scaling = (cluster["ServerlessV2ScalingConfiguration"] ?? {}) as Record<string, number | undefined>;
  return {
    minAcu: scaling["MinCapacity"] ?? 0.5,
    maxAcu: scaling["MaxCapacity"] ?? 1,
    autoPauseSeconds: scaling["SecondsUntilAutoPause"] ?? 300,
    instances: Math.max(1, instances),
  };
}

function startsOf(schedules: readonly Properties[]): Record<string, number> {
  const starts: Record<string, number> = {};
  for (const schedule of schedules) {
    const { Input } = (schedule["Target"] ?? {}) as { Input?: string };
    const workflow = /"workflow"\s*:\s*"(\w+)"/.exec(Input ?? "")?.[1];
    if (workflow !== undefined) starts[workflow] = startsAMonth(String(schedule["ScheduleExpression"]));
  }
  return starts;
}

/** Starts per month of `rate(5 minutes)`, an hourly or a daily cron expression. */
export function startsAMonth(expression: string): number {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate !== null) {
    const minutes = Number(rate[1]) * { minute: 1, hour: 60, day: 1440 }[rate[2] as "minute" | "hour" | "day"];
    return minutesAMonth / minutes;
  }
  if (/^cron\(\d+ \d+ \* \* \? \*\)$/.test(expression)) return minutesAMonth / 1440;
  if (/^cron\(\d+ \* \* \* \? \*\)$/.test(expression)) return hoursAMonth;
  throw new Error(`schedule ${expression} is not supported: use rate(...) or a daily cron time`);
}

function metricsOf({ Metrics }: Properties): number {
  if (!Array.isArray(Metrics)) return 1;
  return Math.max(
    1,
    Metrics.filter((metric) => typeof metric === "object" && metric !== null && "MetricStat" in metric).length,
  );
}
