import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LakeEngine } from "../../adapters/lake-engine.ts";
import type { WarehouseSettings } from "../../adapters/warehouse.ts";

/** Environment variables of the functions: description and format. */
const settings = {
  ATHENA_WORKGROUP: { is: "the Athena workgroup of the pipeline's own queries", like: /^[\w.-]{1,128}$/ },
  ALERT_TOPIC_ARN: { is: "the ARN of the SNS topic for alerts", like: /^arn:[^:]+:sns:/ },
  BACKUP_BUCKET: { is: "the name of the backup bucket", like: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/ },
  CLUSTER_ARN: { is: "the ARN of the Aurora cluster", like: /^arn:[^:]+:rds:/ },
  // Some emulators return the name for a template's ARN reference; Secrets Manager accepts either.
  CUSTOMER_KEY_SECRET_ARN: {
    is: "the ARN or name of the customer key secret",
    like: /^(arn:[^:]+:secretsmanager:.+|[\w/+=.@-]+)$/,
  },
  CUSTOMERS_EVERY_SECONDS: {
    is: "the interval between publications of the customer rows, in seconds",
    like: /^\d{1,9}$/,
  },
  DATABASE_NAME: { is: "the name of gold's database", like: /^\w{1,63}$/ },
  DATABASE_SECRET_ARN: { is: "the ARN of the secret with the database login", like: /^arn:[^:]+:secretsmanager:/ },
  DATABASE_URL: {
    is: "the postgresql:// connection string of gold's database",
    like: /^postgres(ql)?:\/\//,
    secret: true,
  },
  ENVIRONMENT: { is: "the name of the environment, such as dev", like: /^[\w-]{1,32}$/ },
  EXPORT_ROLE_ARN: { is: "the ARN of the role that database exports assume to write", like: /^arn:[^:]+:iam:/ },
  GLUE_DATABASE: { is: "the Glue database of the lake's tables", like: /^\w{1,255}$/ },
  KEY_ARN: { is: "the ARN of the KMS key that encrypts the data", like: /^arn:[^:]+:kms:/ },
  LAKE_BUCKET: { is: "the name of the lake's bucket", like: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/ },
  LAKE_SQL: { is: "athena or duckdb", like: /^(athena|duckdb)$/ },
  LINEAGE_WAREHOUSE: {
    is: "the address of gold without login: postgres://host:port/database",
    like: /^postgres:\/\/[^@]+\/\w+$/,
  },
  ON_FAILURE_BUCKET: { is: "the name of the bucket of failed batches", like: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/ },
  OPENLINEAGE_URL: { is: "the address of an OpenLineage endpoint, such as Marquez", like: /^https?:\/\// },
  READER_SECRET_ARN: { is: "the ARN of the secret of pizza_reader", like: /^arn:[^:]+:secretsmanager:/ },
  STATE_MACHINES: { is: "a JSON object from each workflow's name to its state machine's ARN", like: /^\{.*\}$/s },
  STREAM_NAME: { is: "the name of the stream", like: /^[\w.-]{1,128}$/ },
  WAREHOUSE: { is: "data-api or postgres", like: /^(data-api|postgres)$/ },
  WRITER_SECRET_ARN: { is: "the ARN of the secret of pizza_writer", like: /^arn:[^:]+:secretsmanager:/ },
} satisfies Record<string, { is: string; like: RegExp; secret?: true }>;

export type Setting = keyof typeof settings;

/** The value of a setting; throws if it is missing or malformed. */
export function setting(name: Setting): string {
  const value = process.env[name];
  const { is, like, secret }: { is: string; like: RegExp; secret?: true } = settings[name];
  if (value === undefined || value === "") {
    throw new Error(`setting ${name} is missing: set it in the function's environment to ${is}`);
  }
  if (!like.test(value)) {
    throw new Error(`setting ${name} is ${secret ? "malformed" : JSON.stringify(value)}: set it to ${is}`);
  }
  return value;
}

/** Like `setting`, but undefined if it is not set. */
export function optionalSetting(name: Setting): string | undefined {
  return process.env[name] ? setting(name) : undefined;
}

/** A setting that is a JSON object with string values. */
export function jsonSetting(name: Setting): Record<string, string> {
  const text = setting(name);
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch (cause) {
    throw new Error(`setting ${name} is not JSON: set it to ${settings[name].is}`, { cause });
  }
}

/** The SQL engine of the lake; DuckDB caches data files in the function's temporary folder. */
export function lakeEngineSettings(): LakeEngine {
  if (setting("LAKE_SQL") === "duckdb") return { engine: "duckdb", folder: join(tmpdir(), "lake") };
  return {
    engine: "athena",
    workgroup: setting("ATHENA_WORKGROUP"),
    database: setting("GLUE_DATABASE"),
    bucket: setting("LAKE_BUCKET"),
  };
}

/** The warehouse with the function's login. */
export function warehouseSettings(): WarehouseSettings {
  if (setting("WAREHOUSE") === "postgres") return { kind: "postgres", connectionString: setting("DATABASE_URL") };
  return {
    kind: "data-api",
    clusterArn: setting("CLUSTER_ARN"),
    secretArn: setting("DATABASE_SECRET_ARN"),
    database: setting("DATABASE_NAME"),
  };
}
