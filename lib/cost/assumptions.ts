import { qualityRules } from "../../pipeline/domain/quality-rules.ts";

/** Assumptions beyond the templates, with their sources. `./pizza cost --json` prints all of them. */
export const assumptions = {
  /** Orders of the classic year are between 10:00 and 23:00. */
  openHoursADay: 13,
  /** Including revisions and duplicates: the default faults of a busy chain. */
  eventsPerOrder: 1.05,
  /** Mean of the simulator. */
  linesPerOrder: 2.3,
  /** JSON bytes of one event; measured. */
  eventBytes: 573,
  /** zstd bytes of a batch of n events: first + next x n; fitted to measurements with 1 to 344 events. */
  batchFirstBytes: 380,
  batchNextBytes: 70,
  /** The producer's defaults. */
  lingerSeconds: 0.1,
  batchBytes: 196_608,
  /** Ratio of the busiest minute to the mean of the opening hours. */
  peakFactor: 3,
  /** Share of publishing runs that touch one more day because of late orders. */
  lateDaysPerRun: 0.2,
  /** Bytes per order line in silver; measured. */
  silverLineBytes: 24,
  /** Share of silver's bytes that a lake query of gold reads: its columns, weighted by size. */
  shareOfColumnsRead: 0.4,
  /** Lake queries per batch of days, and per publication of customer rows. */
  lakeQueriesPerBatch: 2,
  lakeQueriesPerCustomers: 1,
  /** Full scans of silver per receipt. */
  silverReadingsPerReceipt: 3,
  /** Full scans of silver per quality check: eight queries on all days, each of some columns. */
  silverReadingsPerQualityCheck: 2,
  /** Months of history in storage and receipt. */
  monthsKept: 12,
  /** Factor for old versions and files not yet vacuumed. */
  silverOverhead: 1.5,
  /**
   * Milliseconds per warm invocation, mostly waiting for S3, Kinesis, Athena or the database. Not measured on Lambda.
   */
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
  /** Order lines refined per second by one Lambda vCPU: docs/performance.md x 0.6, the assumed speed of a vCPU. */
  linesPerVcpuSecond: 60_000,
  /** Orders reconciled per second by a receipt: measured (96 us of CPU each) x 0.6, the assumed speed of a vCPU. */
  receiptOrdersPerSecond: 6000,
  /** Memory of a receipt; measured with 20,000 and 300,000 orders. */
  receiptBytesPerOrder: 1400,
  receiptBaseMegabytes: 340,
  /** Memory per vCPU. */
  megabytesPerVcpu: 1769,
  /** S3 requests per invocation. */
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
  /** Polls per snapshot and export, every two minutes; retention of snapshots in days. */
  looksPerSnapshot: 20,
  snapshotDays: 35,
  /** Bytes of gold per Data API response, in a backup and its verification. */
  backupBytesPerRequest: 400_000,
  /** Data API requests per publishing run, and per batch in it. */
  dataApiRequestsPerRun: 4,
  dataApiRequestsPerBatch: 3,
  /** Aurora capacity above the minimum while busy; busy seconds per publishing run. */
  busyAcu: 1,
  busySecondsPerRun: 2,
  iosPerRun: 400,
  /** Size of gold and its ledgers: a base, and one row per customer and day for each order. */
  goldBaseGb: 1,
  goldBytesPerOrder: 120,
  /** Log bytes per invocation: Lambda's lines, one of the function, and its metrics. */
  logBytesPerCall: 1500,
  /** Metrics of lambdas/runtime/metrics.ts, and one per quality rule. */
  customMetrics: 15 + qualityRules.length,
  /** Maximum number of events per refining run. */
  eventsPerRefine: 30_000,
} as const;
