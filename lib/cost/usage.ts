import { assumptions as given } from "./assumptions.ts";
import { daysAMonth, hoursAMonth, type DeploymentSize } from "./deployment-size.ts";
import type { Usage } from "./price-table.ts";
import { payloadUnits, runsOf, trafficOf, type Runs, type Traffic } from "./traffic.ts";

const gb = 1e9;
/** S3 does not transition smaller objects. */
const leastAgingBytes = 128 * 1024;
const athenaLeastBytes = 10 * 1024 * 1024;

/** Maximum run time of a Lambda function. */
const longestCallSeconds = 900;

/** Invocations per month by function. */
type Calls = Record<string, number>;

/** Billable quantities per month of a deployment with this number of orders per day. */
export function usageOf(size: DeploymentSize, ordersPerDay: number): { usage: Usage; traffic: Traffic; runs: Runs } {
  const traffic = trafficOf(size, ordersPerDay);
  const runs = runsOf(size, traffic);
  const calls = callsOf(size, { traffic, runs });
  const lines = ordersPerDay * daysAMonth * given.linesPerOrder;
  return {
    traffic,
    runs,
    usage: {
      ...streamUsage(size, traffic),
      ...functionUsage(size, { calls, lines, receiptSeconds: receiptSeconds(ordersPerDay) }),
      "states-transitions": transitionsOf({ runs, calls }),
      "scheduler-invocations": runs.starts,
      ...storeUsage(size, { traffic, calls, lines }),
      ...(size.lakeSql === "athena" && { "athena-tb": athenaTerabytes({ runs, calls, lines }) }),
      ...warehouseUsage(size, { traffic, runs, calls, ordersPerDay }),
      ...fixedUsage(size),
    },
  };
}

/** Stream hours, data in and out, and retention beyond a day. */
export function streamUsage({ stream }: Pick<DeploymentSize, "stream">, traffic: Traffic): Usage {
  const { shards, records, recordBytes } = traffic;
  const keepsLonger = stream.retentionHours > 24;
  if (stream.shards !== "on-demand") {
    return {
      "kinesis-shard-hours": shards * hoursAMonth,
      "kinesis-put-units": records * payloadUnits(recordBytes),
      ...(keepsLonger && { "kinesis-extended-shard-hours": shards * hoursAMonth }),
    };
  }
  const writtenGb = (records * Math.ceil(recordBytes / 1024) * 1024) / gb;
  const extraDays = stream.retentionHours / 24 - 1;
  return {
    "kinesis-stream-hours": hoursAMonth,
    "kinesis-in-gb": writtenGb,
    "kinesis-out-gb": (records * recordBytes) / gb,
    ...(keepsLonger && { "kinesis-extended-gb-months": (writtenGb * extraDays) / daysAMonth }),
  };
}

function callsOf(size: DeploymentSize, { traffic, runs }: { traffic: Traffic; runs: Runs }): Calls {
  const refines = Math.max(runs.refining, traffic.events / given.eventsPerRefine);
  const batches = traffic.events === 0 ? 0 : runs.publishing * (1 + given.lateDaysPerRun);
  // Customer rows are published once per hour while orders arrive.
  const customers = traffic.events === 0 ? 0 : Math.min(runs.publishing, traffic.openHours);
  return {
    LandRecords: traffic.landings,
    RedriveLanding: runs.refining,
    RefineSilver: refines,
    PublishQuarantine: runs.refining,
    CompactSilver: runs.refining,
    PlanWindows: runs.publishing,
    PublishWindows: batches,
    PublishCustomers: customers,
    ReportWindows: runs.publishing,
    VerifyReceipt: runs.receipts,
    BackUpWarehouse: runs.backups,
    VerifyBackup: runs.backups,
    SnapshotDatabase: size.aurora === undefined ? runs.backups : runs.backups * given.looksPerSnapshot,
    CheckQuality: runs.receipts,
    StartWorkflow: runs.starts,
  };
}

/** Duration of one receipt, which reconciles the whole history. */
function receiptSeconds(ordersPerDay: number): number {
  return (ordersPerDay * daysAMonth * given.monthsKept) / given.receiptOrdersPerSecond;
}

/** Days of history that VerifyReceipt can reconcile within its memory and run time. */
export function receiptDays({ functions }: DeploymentSize, ordersPerDay: number): number {
  const megabytes = Math.max(0, (functions["VerifyReceipt"] ?? 0) - given.receiptBaseMegabytes);
  const byMemory = (megabytes * 1024 * 1024) / given.receiptBytesPerOrder;
  return Math.min(byMemory, longestCallSeconds * given.receiptOrdersPerSecond) / ordersPerDay;
}

function functionUsage(
  size: DeploymentSize,
  { calls, lines, receiptSeconds: seconds }: { calls: Calls; lines: number; receiptSeconds: number },
): Usage {
  let [requests, gbSeconds] = [0, 0];
  for (const [name, megabytes] of Object.entries(size.functions)) {
    const times = calls[name] ?? 0;
    requests += times;
    gbSeconds += (times * (given.callMs[name] ?? 0) * megabytes) / 1024 / 1000;
    if (name === "VerifyReceipt") gbSeconds += times * Math.min(seconds, longestCallSeconds) * (megabytes / 1024);
    const vcpus = Math.min(1, megabytes / given.megabytesPerVcpu);
    if (name === "RefineSilver") gbSeconds += (lines / (given.linesPerVcpuSecond * vcpus)) * (megabytes / 1024);
  }
  const isArm = size.architecture === "arm64";
  return {
    "lambda-requests": requests,
    [isArm ? "lambda-arm-gb-seconds" : "lambda-x86-gb-seconds"]: gbSeconds,
    "logs-gb": (requests * given.logBytesPerCall) / gb,
    "logs-gb-months": (requests * given.logBytesPerCall) / gb,
    // X-Ray samples the first invocation of each second and 5 % of the others.
    ...(size.isTraced && { "xray-traces": Math.min(requests, hoursAMonth * 3600 + requests / 20) }),
  };
}

/** State transitions, including one for the start of each execution. */
function transitionsOf({ runs, calls }: { runs: Runs; calls: Calls }): number {
  const refining = runs.refining * 4 + calls["RefineSilver"]! * 2;
  const publishing = runs.publishing * 5 + calls["PublishWindows"]! + calls["PublishCustomers"]!;
  const backups = runs.backups * 3 + calls["SnapshotDatabase"]! * 3;
  return refining + publishing + runs.receipts * 3 + backups;
}

function storeUsage(
  { hasBucketKeys }: DeploymentSize,
  { traffic, calls, lines }: { traffic: Traffic; calls: Calls; lines: number },
): Usage {
  const requests = (kind: "puts" | "gets") =>
    Object.entries(given.requests).reduce((sum, [name, each]) => sum + (calls[name] ?? 0) * each[kind], 0);
  const [puts, gets] = [requests("puts"), requests("gets")];
  const bronzeMonthGb = (traffic.records * traffic.recordBytes) / gb;
  const isSmall = traffic.records * traffic.recordBytes < traffic.landings * leastAgingBytes;
  const silverGb = (lines * given.monthsKept * given.silverLineBytes * given.silverOverhead) / gb;
  return {
    "s3-puts": puts,
    "s3-gets": gets,
    // Bronze: one month in Standard, two in Infrequent Access, then the archive; small objects stay in Standard.
    "s3-standard-gb-months": bronzeMonthGb * (isSmall ? given.monthsKept : 1) + silverGb,
    "s3-infrequent-gb-months": isSmall ? 0 : bronzeMonthGb * 2,
    "s3-archive-gb-months": isSmall ? 0 : bronzeMonthGb * (given.monthsKept - 3),
    "kms-requests": (puts + gets) * (hasBucketKeys ? 0.01 : 1) + traffic.landings,
  };
}

function athenaTerabytes({ runs, calls, lines }: { runs: Runs; calls: Calls; lines: number }): number {
  const read = (bytes: number) => Math.max(athenaLeastBytes, bytes);
  const dayBytes = (lines / daysAMonth) * given.silverLineBytes * given.shareOfColumnsRead;
  // A day is published while it fills up, so on average it is half full.
  const windows = calls["PublishWindows"]! * given.lakeQueriesPerBatch * read(dayBytes / 2);
  const customers = calls["PublishCustomers"]! * given.lakeQueriesPerCustomers * read(dayBytes / 2);
  const wholeBytes = lines * given.monthsKept * given.silverLineBytes;
  const readings = given.silverReadingsPerReceipt + given.silverReadingsPerQualityCheck;
  const receipts = runs.receipts * readings * read(wholeBytes);
  return (windows + customers + receipts) / 1e12;
}

/** Cost that does not depend on the number of orders. */
export function fixedUsage({ keys, secrets, alarmMetrics, dashboards }: DeploymentSize): Usage {
  return {
    "kms-key-months": keys,
    "secret-months": secrets,
    "secret-requests": secrets * hoursAMonth,
    "metric-months": given.customMetrics,
    "alarm-metric-months": alarmMetrics,
    "dashboard-months": dashboards,
  };
}

/** Capacity, storage and requests of the database, if there is one. */
function warehouseUsage(
  { aurora }: DeploymentSize,
  { traffic, runs, calls, ordersPerDay }: { traffic: Traffic; runs: Runs; calls: Calls; ordersPerDay: number },
): Usage {
  if (aurora === undefined) return {};
  const busyHours = (calls["PublishWindows"]! + calls["PublishCustomers"]!) * (given.busySecondsPerRun / 3600);
  const awake = awakeHours(aurora, { traffic, runs });
  const acuHours = awake * Math.max(0.5, aurora.minAcu) + busyHours * given.busyAcu;
  const rowsGb = (ordersPerDay * daysAMonth * given.monthsKept * given.goldBytesPerOrder) / 1e9;
  const requests =
    (runs.publishing + runs.receipts * 3) * given.dataApiRequestsPerRun +
    calls["PublishWindows"]! * given.dataApiRequestsPerBatch +
    runs.backups * ((2 * rowsGb * 1e9) / given.backupBytesPerRequest);
  return {
    "aurora-acu-hours": acuHours * aurora.instances,
    "aurora-gb-months": given.goldBaseGb + rowsGb,
    // Counts each snapshot in full, although snapshots are incremental.
    "aurora-backup-gb-months": (runs.backups / daysAMonth) * given.snapshotDays * (given.goldBaseGb + rowsGb),
    "aurora-export-gb": runs.backups * (given.goldBaseGb + rowsGb),
    "aurora-ios": runs.publishing * given.iosPerRun,
    "data-api-requests": requests,
  };
}

/** Hours per month in which the database is not paused: from each run until its idle time has passed. */
function awakeHours(
  { minAcu, autoPauseSeconds }: NonNullable<DeploymentSize["aurora"]>,
  { traffic, runs }: { traffic: Traffic; runs: Runs },
): number {
  if (minAcu > 0 || autoPauseSeconds === 0) return hoursAMonth;
  const hoursPerRun = (autoPauseSeconds + 30) / 3600;
  const closedHours = hoursAMonth - traffic.openHours;
  // One run per hour while the stores are closed; the others are spread evenly over the opening hours.
  const whileClosed = closedHours * Math.min(1, hoursPerRun);
  const perOpenHour = Math.max(1, (runs.publishing - closedHours) / traffic.openHours);
  return whileClosed + traffic.openHours * Math.min(1, perOpenHour * hoursPerRun);
}
