import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newKinesisClient, openKinesisSink } from "../../adapters/kinesis.ts";
import { openPostgresWarehouse } from "../../adapters/postgres-warehouse.ts";
import type { StreamRecord, Warehouse } from "../../pipeline/ports.ts";
import { functionEntries, functionNames, type FunctionName } from "../../lib/function-entries.ts";
import { loadWorkflow, type Functions } from "../../targets/local/workflow-runner.ts";
import { testAccess } from "../support/aws-access.ts";
import { startAthenaServer } from "../support/athena-server.ts";
import { startDataApiServer } from "../support/data-api-server.ts";
import { duckDbEngine } from "../support/duckdb-engine.ts";
import { startJsonServer } from "../support/json-server.ts";
import { startKinesisServer } from "../support/kinesis-server.ts";
import { startRdsServer } from "../support/rds-server.ts";
import { startS3Server } from "../support/s3-server.ts";
import { sharedBundle } from "./bundles.ts";
import { startLambda, type LambdaHost } from "./lambda-host.ts";
import { addressOf, startManagedPostgres } from "./managed-postgres.ts";
import { startSecretStore } from "./secret-store.ts";

const arn = (service: string, rest: string) => `arn:aws:${service}:eu-central-1:000000000000:${rest}`;
const secretArn = (name: string) => arn("secretsmanager", `secret:${name}`);
const streamName = "orders";

type LakeSql = "duckdb" | "athena";

export type AwsPipeline = Awaited<ReturnType<typeof openAwsPipeline>>;

/**
 * The deployed pipeline: every function from its bundle in a separate process, the real SDK clients against endpoints
 * on this machine, and a real PostgreSQL behind the Data API. Functions start when first invoked.
 */
export async function openAwsPipeline({ customerKey }: { customerKey: string }) {
  const dir = mkdtempSync(join(tmpdir(), "pizza-aws-"));
  const postgres = await startManagedPostgres(join(dir, "postgres"));
  const passwords = { writer: "writer-password", reader: "reader-password" };
  const addresses = {
    owner: postgres.connectionString("owner"),
    writer: addressOf(postgres, "pizza_writer", passwords.writer),
    reader: addressOf(postgres, "pizza_reader", passwords.reader),
  };
  const s3 = await startS3Server({ root: join(dir, "s3") });
  const athena = await startAthenaServer({ engine: duckDbEngine({ root: join(dir, "s3/lake"), bucket: "lake" }) });
  const kinesis = await startKinesisServer({ dir: join(dir, "stream"), shards: 2 });
  const dataApi = await startDataApiServer({
    connectionStrings: Object.fromEntries(Object.entries(addresses).map(([role, url]) => [secretArn(role), url])),
  });
  const secrets = await startSecretStore({
    [secretArn("customer-key")]: { key: customerKey },
    [secretArn("reader")]: { username: "pizza_reader", password: passwords.reader },
    [secretArn("writer")]: { username: "pizza_writer", password: passwords.writer },
  });
  const sns = await startJsonServer({ answers: { Publish: () => ({ MessageId: "1" }) } });
  const rds = await startRdsServer();
  const gold = openPostgresWarehouse({ connectionString: addresses.owner });

  const shared = {
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_ENDPOINT_URL_ATHENA: athena.url,
    AWS_ENDPOINT_URL_KINESIS: kinesis.url,
    AWS_ENDPOINT_URL_RDS_DATA: dataApi.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
    AWS_ENDPOINT_URL_SNS: sns.url,
    AWS_ENDPOINT_URL_RDS: rds.url,
    TMPDIR: dir,
    LAKE_BUCKET: "lake",
    ON_FAILURE_BUCKET: "on-failure",
    BACKUP_BUCKET: "backups",
    EXPORT_ROLE_ARN: arn("iam", "role/export"),
    KEY_ARN: arn("kms", "key/1"),
    STREAM_NAME: streamName,
    CUSTOMER_KEY_SECRET_ARN: secretArn("customer-key"),
    ALERT_TOPIC_ARN: arn("sns", "alerts"),
    WAREHOUSE: "data-api",
    CLUSTER_ARN: arn("rds", "cluster:pizza"),
    DATABASE_NAME: "pizza_sales",
    DATABASE_SECRET_ARN: secretArn("writer"),
    CUSTOMERS_EVERY_SECONDS: "3600",
    ATHENA_WORKGROUP: "pizza-sales-test",
    GLUE_DATABASE: "pizza_sales_test",
  };
  let lakeSql: LakeSql = "duckdb";
  const own: Partial<Record<FunctionName, Record<string, string>>> = {
    VerifyBackup: { DATABASE_SECRET_ARN: secretArn("owner") },
    RestoreBackup: { DATABASE_SECRET_ARN: secretArn("owner") },
    VerifyReceipt: { DATABASE_SECRET_ARN: secretArn("reader") },
    MigrateWarehouse: {
      DATABASE_SECRET_ARN: secretArn("owner"),
      READER_SECRET_ARN: secretArn("reader"),
      WRITER_SECRET_ARN: secretArn("writer"),
    },
  };
  const lambdas = new Map<string, LambdaHost>();
  const lambda = (name: FunctionName): LambdaHost => {
    const usesLakeSql = "usesLakeSql" in functionEntries[name];
    const id = usesLakeSql ? `${name} with ${lakeSql}` : name;
    const environment = { ...shared, ...own[name], ...(usesLakeSql && { LAKE_SQL: lakeSql }) };
    const known = lambdas.get(id) ?? startLambda(sharedBundle(name, "duckdb"), environment);
    lambdas.set(id, known);
    return known;
  };
  const functions: Functions = Object.fromEntries(
    functionNames.map((name) => [name, (input: unknown) => lambda(name).invoke(input)]),
  );

  return {
    s3,
    athena,
    sns,
    rds,
    lambda,
    gold: gold as Warehouse,
    sink: openKinesisSink({ streamName, client: newKinesisClient({ ...testAccess, endpoint: kinesis.url }) }),
    /** Deploys the functions that run SQL on the lake with this engine. */
    useLakeSql: (choice: LakeSql) => void (lakeSql = choice),
    /** Empties gold and its ledgers, but not the migrations, and deploys: menu and stores are in gold again. */
    async emptyGold() {
      const tables = await gold.query<{ name: string }>(
        `select format('%I.%I', schemaname, tablename) as name from pg_tables
         where schemaname in ('gold', 'facts', 'ops') and tablename <> 'migrations'`,
      );
      const deletes = tables.map(({ name }) => `delete from ${name}`);
      await gold.query(`set local pizza.corrections = 'off'; ${deletes.join("; ")}`);
      await lambda("MigrateWarehouse").invoke({ RequestType: "Update" });
    },
    /** The stream's records, one list per shard. */
    async records(): Promise<StreamRecord[][]> {
      const all = kinesis.log.shards().map(({ id: shard }) => ({ shard, limit: 10_000, maxBytes: 2 ** 28 }));
      return await Promise.all(all.map((options) => kinesis.log.read(options)));
    },
    /** Runs a state machine of `step-functions/` on the deployed functions. */
    run: (workflow: string, input: object) => loadWorkflow(workflow, functions).run(input as never),
    /** The logs of all functions. */
    log: () => [...lambdas.values()].map((host) => host.log()).join(""),
    lines: (key: string) => [...lambdas.values()].flatMap((host) => host.lines(key)),
    async close() {
      await Promise.all([...lambdas.values()].map((host) => host.close()));
      await gold.close();
      for (const server of [s3, athena, kinesis, dataApi, secrets, sns, rds]) await server.close();
      await postgres.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
