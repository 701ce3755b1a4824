import { Aws } from "aws-cdk-lib";
import type { ISecret } from "aws-cdk-lib/aws-secretsmanager";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { allow, bucketAccess, secretAccess, useKey, type Permission, type KeyPatterns } from "./access.ts";
import type { Environment } from "./config.ts";
import type { StatefulStack } from "./stateful-stack.ts";

/** Access to the resources that the stages share: environment variables and permissions together. */
export interface Resources {
  lake(patterns: KeyPatterns): Permission;
  onFailure(patterns: KeyPatterns): Permission;
  backups(patterns: KeyPatterns): Permission;
  /** Reads the stream's records. */
  stream(): Permission;
  customerKey(): Permission;
  /** SQL on the warehouse with one of its three roles. */
  warehouse(login: "owner" | "writer" | "reader"): Permission;
  /** SQL on the warehouse with transactions. */
  warehouseTransactions(login: "owner" | "writer"): Permission;
  /** SQL on these tables of the lake with the environment's engine. */
  lakeSql(tables: (keyof typeof tableFolders)[]): Permission;
  /** Publishes alerts. */
  alerts(topic: ITopic): Permission;
}

/** Key pattern of each Delta table's objects, by Glue table name. */
const tableFolders = { order_lines: "silver/*", order_events: "quarantine/*" };

/** Key patterns of both Delta tables. */
export const deltaTables = Object.values(tableFolders);

/** Key pattern of silver's Delta log. */
export const silverLog = "silver/order_lines/_delta_log/*";

/** Key patterns of failed batches, chosen by Lambda. */
export const failedBatches = ["aws/lambda/*"];

export function shareResources(environment: Environment, stateful: StatefulStack): Resources {
  const { key, lake, onFailure, backups, orders, secrets } = stateful;
  return {
    lake: (patterns) => bucketAccess(lake, "LAKE_BUCKET", { ...patterns, key }),
    onFailure: (patterns) => bucketAccess(onFailure, "ON_FAILURE_BUCKET", { ...patterns, key }),
    backups: (patterns) => bucketAccess(backups, "BACKUP_BUCKET", { ...patterns, key }),
    stream: () => ({
      variables: { STREAM_NAME: orders.streamName },
      statements: [allow(streamReads, [orders.streamArn]), useKey(key, "kinesis")],
    }),
    customerKey: () => secretAccess(secrets.customerKey, "CUSTOMER_KEY_SECRET_ARN", key),
    warehouse: (login) => warehouseAccess(environment, stateful, login),
    warehouseTransactions: (login) => withTransactions(warehouseAccess(environment, stateful, login), stateful),
    lakeSql: (tables) => (environment.lakeSql === "athena" ? athenaAccess(environment, stateful, tables) : duckDb),
    alerts: (topic) => ({
      variables: { ALERT_TOPIC_ARN: topic.topicArn },
      statements: [
        allow(["sns:Publish"], [topic.topicArn]),
        useKey(key, "sns", ["kms:Decrypt", "kms:GenerateDataKey"]),
      ],
    }),
  };
}

const streamReads = ["DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"].map(
  (action) => `kinesis:${action}`,
);

const duckDb: Permission = { variables: { LAKE_SQL: "duckdb" }, statements: [] };

function warehouseAccess(
  { warehouse: settings }: Environment,
  { warehouse, secrets, key }: StatefulStack,
  login: string,
): Permission {
  if (settings.kind === "postgres") {
    return { variables: { WAREHOUSE: "postgres", DATABASE_URL: settings.databaseUrl }, statements: [] };
  }
  const { cluster, ownerSecret, databaseName } = warehouse!;
  const logins: Record<string, ISecret> = { owner: ownerSecret, writer: secrets.writer, reader: secrets.reader };
  const secret = secretAccess(logins[login]!, "DATABASE_SECRET_ARN", key);
  return {
    variables: {
      WAREHOUSE: "data-api",
      CLUSTER_ARN: cluster.clusterArn,
      DATABASE_NAME: databaseName,
      ...secret.variables,
    },
    statements: [allow(["rds-data:ExecuteStatement"], [cluster.clusterArn]), ...secret.statements],
  };
}

function withTransactions({ variables, statements }: Permission, { warehouse }: StatefulStack): Permission {
  if (warehouse === undefined) return { variables, statements };
  const actions = ["Begin", "Commit", "Rollback"].map((step) => `rds-data:${step}Transaction`);
  return { variables, statements: [...statements, allow(actions, [warehouse.cluster.clusterArn])] };
}

/** Athena uses the caller's permissions: on the Glue tables, their files, the manifests and the query results. */
function athenaAccess(
  environment: Environment,
  { lake, key, glueDatabase }: StatefulStack,
  tables: (keyof typeof tableFolders)[],
): Permission {
  const here = (service: string, resource: string) =>
    `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
  const database = glueDatabase!;
  const objects = bucketAccess(lake, "LAKE_BUCKET", {
    reads: [...tables.map((table) => tableFolders[table]), "manifests/*", "athena-results/*"],
    writes: ["manifests/*", "athena-results/*"],
    key,
  });
  return {
    variables: {
      LAKE_SQL: "athena",
      ATHENA_WORKGROUP: workgroupName(environment),
      GLUE_DATABASE: database,
      ...objects.variables,
    },
    statements: [
      allow(
        ["athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"],
        [here("athena", `workgroup/${workgroupName(environment)}`)],
      ),
      allow(
        ["glue:GetDatabase", "glue:GetTable", "glue:GetPartitions"],
        [
          here("glue", "catalog"),
          here("glue", `database/${database}`),
          // Athena always accesses the default database as well.
          here("glue", "database/default"),
          ...tables.map((table) => here("glue", `table/${database}/${table}_at`)),
        ],
      ),
      allow(["s3:GetBucketLocation"], [lake.bucketArn]),
      ...objects.statements,
    ],
  };
}

/** The pipeline's Athena workgroup. */
export const workgroupName = ({ name }: Environment): string => `pizza-sales-${name}`;
