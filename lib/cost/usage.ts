import { assumptions as given } from "./assumptions.ts";
import { daysAMonth, hoursAMonth, type DeploymentSize } from "./deployment-size.ts";
import type { Usage } from "./price-table.ts";
import { payloadUnits, runsOf, trafficOf, type Runs, type Traffic } from "./traffic.ts";

const gb = 1e9;
/** S3 leaves objects below this in their class. */
const leastAgingBytes = 128 * 1024;
const athenaLeastBytes = 10 * 1024 * 1024;

/** Calls of each function in a month. */
type Calls = Record<string, number>;

/** What a month costs in quantities: the deployment as its template says, with so many orders a day. */
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

/** Stream hours, what goes in and out, and what is kept beyond a day. */
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
  // Rows per customer follow once an hour while orders come.
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

/** A function runs this long at the most. */
const longestCallSeconds = 900;

/** How long one receipt takes: it accounts for the whole history. */
function receiptSeconds(ordersPerDay: number): number {
  return (ordersPerDay * daysAMonth * given.monthsKept) / given.receiptOrdersPerSecond;
}

/** Days of history that the receipt's function can account for, by its memory and by its time. */
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
    // Lambda traces the first call of each second and one in twenty of the others.
    ...(size.isTraced && { "xray-traces": Math.min(requests, hoursAMonth * 3600 + requests / 20) }),
  };
}

/** States that are entered, and one transition for the start of each execution. */
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
    // Bronze is a month in Standard, two in infrequent access and the rest in the archive; small objects stay.
    "s3-standard-gb-months": bronzeMonthGb * (isSmall ? given.monthsKept : 1) + silverGb,
    "s3-infrequent-gb-months": isSmall ? 0 : bronzeMonthGb * 2,
    "s3-archive-gb-months": isSmall ? 0 : bronzeMonthGb * (given.monthsKept - 3),
    "kms-requests": (puts + gets) * (hasBucketKeys ? 0.01 : 1) + traffic.landings,
  };
}

function athenaTerabytes({ runs, calls, lines }: { runs: Runs; calls: Calls; lines: number }): number {
  const read = (bytes: number) => Math.max(athenaLeastBytes, bytes);
  const dayBytes = (lines / daysAMonth) * given.silverLineBytes * given.shareOfColumnsRead;
  // A day is published while it fills up: it is half full on the average.
  const windows = calls["PublishWindows"]! * given.lakeQueriesPerBatch * read(dayBytes / 2);
  const customers = calls["PublishCustomers"]! * given.lakeQueriesPerCustomers * read(dayBytes / 2);
  const wholeBytes = lines * given.monthsKept * given.silverLineBytes;
  const readings = given.silverReadingsPerReceipt + given.silverReadingsPerQualityCheck;
  const receipts = runs.receipts * readings * read(wholeBytes);
  return (windows + customers + receipts) / 1e12;
}

/** What costs the same whether anybody orders or not. */
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

/** Capacity, storage and requests of the database; nothing where there is none. */
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
    // Each snapshot counts in full; that they share what has not changed is left out of account.
    "aurora-backup-gb-months": (runs.backups / daysAMonth) * given.snapshotDays * (given.goldBaseGb + rowsGb),
    "aurora-export-gb": runs.backups * (given.goldBaseGb + rowsGb),
    "aurora-ios": runs.publishing * given.iosPerRun,
    "data-api-requests": requests,
  };
}

/** Hours in which the database does not pause: from each run's question until it was idle for its time. */
function awakeHours(
  { minAcu, autoPauseSeconds }: NonNullable<DeploymentSize["aurora"]>,
  { traffic, runs }: { traffic: Traffic; runs: Runs },
): number {
  if (minAcu > 0 || autoPauseSeconds === 0) return hoursAMonth;
  const hoursPerRun = (autoPauseSeconds + 30) / 3600;
  const closedHours = hoursAMonth - traffic.openHours;
  // While the stores are closed one run an hour asks; while they are open the others are spread evenly.
  const whileClosed = closedHours * Math.min(1, hoursPerRun);
  const perOpenHour = Math.max(1, (runs.publishing - closedHours) / traffic.openHours);
  return whileClosed + traffic.openHours * Math.min(1, perOpenHour * hoursPerRun);
}
