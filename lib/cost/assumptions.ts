import { qualityRules } from "../../pipeline/domain/quality-rules.ts";

/** What the template cannot say, with where it comes from. All of it is printed by `./pizza cost --json`. */
export const assumptions = {
  /** The classic year sells between 10:00 and 23:00. */
  openHoursADay: 13,
  /** Revisions and repeats; the default faults of a busy chain. */
  eventsPerOrder: 1.05,
  /** Lines of an order; the simulator's mean. */
  linesPerOrder: 2.3,
  /** Bytes of one event as JSON; measured. */
  eventBytes: 573,
  /** Bytes of a batch of n events in zstd: first + next x n; fitted to what was measured for 1 to 344 events. */
  batchFirstBytes: 380,
  batchNextBytes: 70,
  /** The producer's own settings. */
  lingerSeconds: 0.1,
  batchBytes: 196_608,
  /** The busiest minute against the mean of the open hours. */
  peakFactor: 3,
  /** Orders of earlier days: the share of publishing runs that touch one more day. */
  lateDaysPerRun: 0.2,
  /** Bytes of an order line in silver; measured. */
  silverLineBytes: 24,
  /** Share of silver's bytes that a lake query of gold reads; columns it names, by their size. */
  shareOfColumnsRead: 0.4,
  /** Lake queries of one batch of days, and of rows per customer. */
  lakeQueriesPerBatch: 2,
  lakeQueriesPerCustomers: 1,
  /** Whole readings of silver by one receipt. */
  silverReadingsPerReceipt: 3,
  /** The same of the quality rules: eight queries on all days, of some columns each. */
  silverReadingsPerQualityCheck: 2,
  /** Months of history that storage and receipt have to hold. */
  monthsKept: 12,
  /** Old versions and files not yet cleared away, against silver itself. */
  silverOverhead: 1.5,
  /** Milliseconds of a warm call: mostly waiting for S3, Kinesis, Athena or the database. Not measured on Lambda. */
  callMs: {
    LandRecords: 90,
    RedriveLanding: 120,
    RefineSilver: 900,
    PublishQuarantine: 200,
    CompactSilver: 400,
    PlanWindows: 350,
    PublishWindows: 4000,
    PublishCustomers: 6000,
    ReportWindows: 150,
    VerifyReceipt: 5000,
    BackUpWarehouse: 20_000,
    VerifyBackup: 30_000,
    SnapshotDatabase: 400,
    CheckQuality: 10_000,
    StartWorkflow: 200,
  } as Record<string, number>,
  /** Order lines that one Lambda vCPU refines in a second: docs/performance.md x 0.6, the assumed speed of a vCPU. */
  linesPerVcpuSecond: 60_000,
  /** Orders that a receipt accounts for in a second: measured (96 us of CPU each) x 0.6, the assumed speed of a vCPU. */
  receiptOrdersPerSecond: 6000,
  /** Memory of a receipt; measured with 20,000 and 300,000 orders. */
  receiptBytesPerOrder: 1400,
  receiptBaseMegabytes: 340,
  /** Memory that comes with one vCPU. */
  megabytesPerVcpu: 1769,
  /** S3 requests of one call. */
  requests: {
    LandRecords: { puts: 1, gets: 0 },
    RedriveLanding: { puts: 1, gets: 0 },
    RefineSilver: { puts: 8, gets: 12 },
    PublishQuarantine: { puts: 2, gets: 4 },
    CompactSilver: { puts: 4, gets: 6 },
    PlanWindows: { puts: 1, gets: 4 },
    PublishWindows: { puts: 2, gets: 6 },
    PublishCustomers: { puts: 2, gets: 6 },
    ReportWindows: { puts: 1, gets: 4 },
    BackUpWarehouse: { puts: 60, gets: 4 },
    VerifyBackup: { puts: 2, gets: 60 },
    CheckQuality: { puts: 14, gets: 6 },
    StartWorkflow: { puts: 3, gets: 2 },
  } as Record<string, { puts: number; gets: number }>,
  /** Times that a backup looks at its snapshot and export, every two minutes; days that snapshots are kept. */
  looksPerSnapshot: 20,
  snapshotDays: 35,
  /** Bytes of gold in one answer of the Data API, for a backup and its proof. */
  backupBytesPerRequest: 400_000,
  /** Data API requests of one publishing run, and of each batch in it. */
  dataApiRequestsPerRun: 4,
  dataApiRequestsPerBatch: 3,
  /** Aurora while it works, beyond its least capacity; seconds of work in one publishing run. */
  busyAcu: 1,
  busySecondsPerRun: 2,
  iosPerRun: 400,
  /** Bytes of gold and its ledgers: a base, and one row per customer and day for each order. */
  goldBaseGb: 1,
  goldBytesPerOrder: 120,
  /** Log bytes of one call: Lambda's own lines, one of ours, and the metrics in it. */
  logBytesPerCall: 1500,
  /** Those of lambdas/runtime/metrics.ts, and one for each quality rule. */
  customMetrics: 15 + qualityRules.length,
  /** Events that one refining run takes at the most. */
  eventsPerRefine: 30_000,
} as const;
