/**
 * The environments as data: they differ here and nowhere else.
 *
 * Account and region come from the credentials of `cdk` and are never written down. Personal settings come as context,
 * on the command line (`-c name=value`) or in the git-ignored `cdk.context.json`; see `contextSettings`.
 */

/** Invalid settings or files; the message lists every problem and is printed without a stack trace. */
export class SettingsError extends Error {
  override name = "SettingsError";
}

export type EnvironmentName = "dev" | "staging" | "prod" | "localstack";

export interface Environment {
  name: EnvironmentName;
  /** `localstack` omits what LocalStack's free edition lacks: Aurora, Glue, Athena, dashboard, alarms, budget. */
  pipeline: "aws" | "localstack";
  architecture: "arm64" | "x86_64";
  stream: {
    /** Number of provisioned shards, or `on-demand`, which scales automatically and costs more at a steady rate. */
    shards: number | "on-demand";
    /** How long a record can be landed again and counted by the receipt. */
    retentionHours: number;
  };
  /** Event source mapping from the stream to LandRecords. */
  landing: {
    batchRecords: number;
    /** Maximum batching window; a longer one means fewer invocations and objects. */
    windowSeconds: number;
    retryAttempts: number;
    /** Older records go to the on-failure bucket; must be below the stream's retention. */
    maxRecordAgeSeconds: number;
  };
  lake: {
    /** Bronze objects move to infrequent access, then to instant-retrieval archive, at these ages. */
    infrequentAfterDays: number;
    archiveAfterDays: number;
    /** How long overwritten and deleted objects can be recovered. */
    keepOldVersionsDays: number;
  };
  /** SQL engine of the pipeline's own lake queries. */
  lakeSql: "athena" | "duckdb";
  /** Scan limit of one Athena query. */
  athenaScanLimitMegabytes: number;
  warehouse: AuroraSettings | PostgresSettings;
  /** Minimum interval between publications of the customer rows. */
  customersEverySeconds: number;
  /** Schedule of each workflow by its file name in `step-functions/`; `otherwise` applies to any other. */
  schedules: Record<string, string> & { otherwise: string };
  schedulesEnabled: boolean;
  /** Reserves concurrency for the writing functions. Lambda requires 100 unreserved executions in the account. */
  reservesConcurrency: boolean;
  alarms: {
    /** E-mail recipients. */
    emails: string[];
    /** Maximum delay of gold behind the tills. */
    freshnessSeconds: number;
    /** Maximum iterator age of landing. */
    iteratorAgeSeconds: number;
    /** A stage with input but no output for two such periods in a row is stalled. */
    silenceSeconds: number;
    /** Maximum share of rejected events. */
    quarantinePercent: number;
  };
  /** OpenLineage endpoint, such as Marquez, that receives an event for every workflow run. */
  openLineageUrl?: string;
  /** Monthly budget of the account before an alert is sent, US dollars. */
  monthlyBudgetUsd: number;
  logRetentionDays: number;
  /** True retains buckets, stream, database, key and secrets when a stack is deleted, and protects the database. */
  keepsData: boolean;
}

export interface AuroraSettings {
  kind: "aurora";
  /** Aurora capacity units of about 2 GiB; 0 enables auto-pause. */
  minAcu: number;
  maxAcu: number;
  /** Idle seconds before auto-pause; 0 disables it. */
  autoPauseSeconds: number;
  /**
   * Private addresses of the warehouse's network, with room for two subnets of 64: a /25 or larger. Must not overlap
   * with networks that are peered with it. A later change replaces the network and the database.
   */
  networkCidr: string;
  /** Number of failover instances in other availability zones. */
  standbys: number;
  backupDays: number;
}

/** An existing PostgreSQL, reached over its own protocol. */
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
    warehouse: {
      kind: "aurora",
      networkCidr: "10.71.0.0/24",
      minAcu: 0,
      maxAcu: 2,
      autoPauseSeconds: 300,
      standbys: 0,
      backupDays: 1,
    },
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
    warehouse: {
      kind: "aurora",
      networkCidr: "10.71.1.0/24",
      minAcu: 0,
      maxAcu: 4,
      autoPauseSeconds: 1_800,
      standbys: 0,
      backupDays: 7,
    },
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
    warehouse: {
      kind: "aurora",
      networkCidr: "10.71.2.0/24",
      minAcu: 0.5,
      maxAcu: 16,
      autoPauseSeconds: 0,
      standbys: 1,
      backupDays: 35,
    },
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
    // Only rates, because localstack/schedules.ts runs them: LocalStack's Scheduler starts nothing.
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
