/**
 * The environments as data. They differ here and nowhere else.
 *
 * Where a stack goes (account and region) is never written down: it comes from the credentials that `cdk` runs with.
 * What belongs to a person rather than to the project comes as context, on the command line (`-c name=value`) or in the
 * git-ignored `cdk.context.json`; `contextSettings` lists all of it.
 */

export type EnvironmentName = "dev" | "staging" | "prod" | "localstack";

export interface Environment {
  name: EnvironmentName;
  /** `localstack` leaves out what its free edition lacks: Aurora, Glue, Athena, dashboard, alarms, budget. */
  pipeline: "aws" | "localstack";
  architecture: "arm64" | "x86_64";
  stream: {
    /** Shards bought by the hour, or `on-demand`, which grows by itself and costs more at a steady rate. */
    shards: number | "on-demand";
    /** Until then a record can be landed again, and the receipt can count it. */
    retentionHours: number;
  };
  /** Settings of the event source mapping from the stream to LandRecords. */
  landing: {
    batchRecords: number;
    /** The longest a record waits for others; the fewer windows, the fewer invocations and objects. */
    windowSeconds: number;
    retryAttempts: number;
    /** Records older than this are given up to the on-failure bucket; below the stream's retention. */
    maxRecordAgeSeconds: number;
  };
  lake: {
    /** Bronze objects move to infrequent access, then to instant-retrieval archive, at these ages. */
    infrequentAfterDays: number;
    archiveAfterDays: number;
    /** What was overwritten or deleted can be had back this long. */
    keepOldVersionsDays: number;
  };
  /** What the pipeline's own lake queries run on. */
  lakeSql: "athena" | "duckdb";
  /** The most that one Athena query may scan. */
  athenaScanLimitMegabytes: number;
  warehouse: AuroraSettings | PostgresSettings;
  /** Rows per customer follow after this pause at the earliest. */
  customersEverySeconds: number;
  /** When each workflow starts, by the name of its file in `step-functions/`; `otherwise` is for any other. */
  schedules: Record<string, string> & { otherwise: string };
  schedulesEnabled: boolean;
  /** Caps how many copies of the writing functions run. Lambda reserves only what leaves the account 100 executions. */
  reservesConcurrency: boolean;
  alarms: {
    /** Who is told, by e-mail. */
    emails: string[];
    /** Gold may be this much behind the tills. */
    freshnessSeconds: number;
    /** A landing that is this much behind needs somebody. */
    iteratorAgeSeconds: number;
    /** A stage that lets nothing through for so long, twice in a row, while something comes, stands still. */
    silenceSeconds: number;
    /** Refused events for each hundred. */
    quarantinePercent: number;
  };
  /** Who hears of every run of a workflow, as OpenLineage events over HTTP: an address such as that of a Marquez. */
  openLineageUrl?: string;
  /** What the account may cost in a month before somebody is told, US dollars. */
  monthlyBudgetUsd: number;
  logRetentionDays: number;
  /** True keeps buckets, stream, database, key and secrets when a stack goes, and protects the database. */
  keepsData: boolean;
}

export interface AuroraSettings {
  kind: "aurora";
  /** Aurora capacity units of about 2 GiB; 0 lets the cluster pause. */
  minAcu: number;
  maxAcu: number;
  /** Idle seconds until it pauses; 0 never pauses. */
  autoPauseSeconds: number;
  /** Instances in other zones that take over. */
  standbys: number;
  backupDays: number;
}

/** A PostgreSQL that is there already, reached over its own wire. */
export interface PostgresSettings {
  kind: "postgres";
  databaseUrl: string;
}

const aws = {
  pipeline: "aws",
  architecture: "arm64",
  lake: { infrequentAfterDays: 30, archiveAfterDays: 90, keepOldVersionsDays: 30 },
  lakeSql: "athena",
  schedulesEnabled: true,
  customersEverySeconds: 3600,
  keepsData: true,
} as const satisfies Partial<Environment>;

export const environments: Record<EnvironmentName, Environment> = {
  dev: {
    ...aws,
    name: "dev",
    stream: { shards: 1, retentionHours: 24 },
    landing: { batchRecords: 500, windowSeconds: 30, retryAttempts: 10, maxRecordAgeSeconds: 43_200 },
    lake: { ...aws.lake, keepOldVersionsDays: 7 },
    athenaScanLimitMegabytes: 1_000,
    warehouse: { kind: "aurora", minAcu: 0, maxAcu: 2, autoPauseSeconds: 300, standbys: 0, backupDays: 1 },
    schedules: {
      bronze_to_silver: "rate(5 minutes)",
      silver_to_gold: "rate(5 minutes)",
      data_quality: "cron(15 4 * * ? *)",
      backup: "cron(45 4 * * ? *)",
      otherwise: "rate(1 day)",
    },
    reservesConcurrency: false,
    alarms: {
      emails: [],
      freshnessSeconds: 1_800,
      iteratorAgeSeconds: 600,
      silenceSeconds: 1_800,
      quarantinePercent: 5,
    },
    monthlyBudgetUsd: 100,
    logRetentionDays: 14,
  },
  staging: {
    ...aws,
    name: "staging",
    stream: { shards: 2, retentionHours: 48 },
    landing: { batchRecords: 500, windowSeconds: 10, retryAttempts: 20, maxRecordAgeSeconds: 86_400 },
    athenaScanLimitMegabytes: 10_000,
    warehouse: { kind: "aurora", minAcu: 0, maxAcu: 4, autoPauseSeconds: 1_800, standbys: 0, backupDays: 7 },
    schedules: {
      bronze_to_silver: "rate(1 minute)",
      silver_to_gold: "rate(2 minutes)",
      data_quality: "cron(15 4 * * ? *)",
      backup: "cron(45 4 * * ? *)",
      otherwise: "rate(1 day)",
    },
    reservesConcurrency: true,
    alarms: { emails: [], freshnessSeconds: 900, iteratorAgeSeconds: 300, silenceSeconds: 900, quarantinePercent: 2 },
    monthlyBudgetUsd: 300,
    logRetentionDays: 30,
  },
  prod: {
    ...aws,
    name: "prod",
    stream: { shards: "on-demand", retentionHours: 168 },
    landing: { batchRecords: 500, windowSeconds: 5, retryAttempts: 50, maxRecordAgeSeconds: 259_200 },
    athenaScanLimitMegabytes: 100_000,
    warehouse: { kind: "aurora", minAcu: 0.5, maxAcu: 16, autoPauseSeconds: 0, standbys: 1, backupDays: 35 },
    schedules: {
      bronze_to_silver: "rate(1 minute)",
      silver_to_gold: "rate(1 minute)",
      data_quality: "cron(15 4 * * ? *)",
      backup: "cron(45 4 * * ? *)",
      otherwise: "rate(1 day)",
    },
    reservesConcurrency: true,
    alarms: { emails: [], freshnessSeconds: 600, iteratorAgeSeconds: 120, silenceSeconds: 900, quarantinePercent: 1 },
    monthlyBudgetUsd: 1_000,
    logRetentionDays: 365,
  },
  localstack: {
    ...aws,
    name: "localstack",
    pipeline: "localstack",
    architecture: process.arch === "arm64" ? "arm64" : "x86_64",
    stream: { shards: 2, retentionHours: 24 },
    landing: { batchRecords: 100, windowSeconds: 1, retryAttempts: 10, maxRecordAgeSeconds: 43_200 },
    lakeSql: "duckdb",
    athenaScanLimitMegabytes: 1_000,
    warehouse: { kind: "postgres", databaseUrl: "postgresql://pizza_owner:pizza@127.0.0.1:5432/pizza" },
    customersEverySeconds: 60,
    // Only rates: they are kept by localstack/schedules.ts, as LocalStack's Scheduler starts nothing.
    schedules: {
      bronze_to_silver: "rate(1 minute)",
      silver_to_gold: "rate(1 minute)",
      otherwise: "rate(1 day)",
    },
    reservesConcurrency: false,
    alarms: {
      emails: [],
      freshnessSeconds: 1_800,
      iteratorAgeSeconds: 600,
      silenceSeconds: 1_800,
      quarantinePercent: 5,
    },
    monthlyBudgetUsd: 1,
    logRetentionDays: 1,
    keepsData: false,
  },
};

/** Settings or files that nothing can be built from; the message says all that is wrong, and is shown without a stack. */
export class SettingsError extends Error {
  override name = "SettingsError";
}
