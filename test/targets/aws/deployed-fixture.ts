import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDuckDbLake } from "../../../adapters/duckdb.ts";
import { restoreBackup } from "../../../pipeline/backup/restore-backup.ts";
import { loadCatalog, loadGoldSql, readCatalogFiles } from "../../../adapters/project-files.ts";
import { landRecords } from "../../../pipeline/bronze/land-records.ts";
import { createCustomerKey } from "../../../pipeline/silver/write-orders.ts";
import { openQuarantine, openSilver, orderStream } from "../../../pipeline/silver/tables.ts";
import { publishCatalog } from "../../../pipeline/gold/migrate.ts";
import { createFunctions } from "../../../targets/local/functions.ts";
import { loadWorkflow } from "../../../targets/local/workflow-runner.ts";
import { openGoldPipeline } from "../../pipeline/gold/gold-fixture.ts";
import { testAccess } from "../../support/aws-access.ts";
import { startAthenaServer } from "../../support/athena-server.ts";
import { duckDbEngine } from "../../support/duckdb-engine.ts";
import { startDataApiServer } from "../../support/data-api-server.ts";
import { startJsonServer, type Answer } from "../../support/json-server.ts";
import { startKinesisServer } from "../../support/kinesis-server.ts";
import { startS3Server } from "../../support/s3-server.ts";
import { cloudFormation } from "./cloud-formation.ts";
import { startLambdaServer } from "./lambda-server.ts";
import { stateMachines } from "./state-machines.ts";

const readerArn = "arn:aws:secretsmanager:eu-central-1:1:secret:reader";
const writerArn = "arn:aws:secretsmanager:eu-central-1:1:secret:writer";
const customerKeyArn = "arn:aws:secretsmanager:eu-central-1:1:secret:customer-key";
const logGroup = "/pizza/dev/LandRecords";

/** Environment `dev` behind local endpoints, with the workflows' real functions. */
export async function startDeployedPipeline() {
  const dir = mkdtempSync(join(tmpdir(), "pizza-remote-"));
  const gold = await openGoldPipeline();
  // A deployment publishes the catalog.
  await publishCatalog(gold.writer, readCatalogFiles());
  const s3 = await startS3Server({ root: dir });
  const kinesis = await startKinesisServer({ dir: join(dir, "stream"), shards: 2 });
  const dataApi = await startDataApiServer({
    connectionStrings: {
      [readerArn]: gold.postgres.connectionString("reader"),
      [writerArn]: gold.postgres.connectionString("writer"),
    },
  });
  const athena = await startAthenaServer({ engine: duckDbEngine({ root: join(dir, "lake"), bucket: "lake" }) });
  const [store, onFailure, backups] = [s3.bucket("lake"), s3.bucket("failed"), s3.bucket("backups")];
  const time = { laterMs: 0 };
  const clock = () => Date.now() + time.laterMs;
  const lake = await openDuckDbLake({ root: join(dir, "lake") });
  const [silver, quarantine] = [openSilver({ store, clock }), openQuarantine({ store, clock })];
  const lambda = await startLambdaServer({
    logGroup,
    invoke: {
      "dev-restore": (input) =>
        restoreBackup({ warehouse: gold.owner, backups, silver, catalog: readCatalogFiles() }, input),
    },
  });
  const customerKey = createCustomerKey("test key");
  const functions = createFunctions({
    refinery: { store, stream: orderStream, silver, quarantine, catalog: loadCatalog(), customerKey, clock },
    onFailure,
    lake,
    warehouse: gold.writer,
    goldSql: loadGoldSql(),
    customersEveryMs: 0,
    verify: () => Promise.reject(new Error("no receipt here")),
    backup: { store: backups, writer: gold.writer, owner: gold.owner },
  });
  const machines = stateMachines({
    bronze_to_silver: (input) => loadWorkflow("bronze_to_silver", functions).run(input as never),
    silver_to_gold: (input) => loadWorkflow("silver_to_gold", functions).run(input as never),
    backup: (input) => loadWorkflow("backup", functions).run(input as never),
    data_quality: () => Promise.reject(new Error("the books are in the wash")),
  });
  const outputs = {
    stateful: {
      LakeBucket: "lake",
      OnFailureBucket: "failed",
      BackupBucket: "backups",
      StreamName: "orders-dev",
      CustomerKeySecretArn: customerKeyArn,
      ClusterArn: "arn:aws:rds:eu-central-1:1:cluster:gold",
      DatabaseHost: "gold.cluster.internal",
      DatabasePort: "5432",
      DatabaseName: "pizza_sales",
      ReaderSecretArn: readerArn,
      WriterSecretArn: writerArn,
      GlueDatabase: "pizza_dev",
    } as Record<string, string>,
    stateless: {
      StateMachines: JSON.stringify(machines.arns),
      Functions: JSON.stringify({ LandRecords: "dev-land", RefineSilver: "dev-refine", RestoreBackup: "dev-restore" }),
      LandingMappingId: "mapping",
      AthenaWorkgroup: "pizza",
    } as Record<string, string>,
  };
  const logs: { logGroupName: string; timestamp: number; message: string }[] = [];
  const answers: Record<string, Answer> = {
    ...machines.answers,
    DescribeStacks: cloudFormation({
      "PizzaSales-dev-Stateful": outputs.stateful,
      "PizzaSales-dev-Stateless": outputs.stateless,
    }),
    GetSecretValue: ({ SecretId }) => ({
      SecretString: JSON.stringify(
        SecretId === customerKeyArn ? { key: "test key" } : { username: "pizza_reader", password: "a/b c" },
      ),
    }),
    FilterLogEvents: ({ logGroupName, startTime }) => ({
      events: logs
        .map((line, index) => ({ ...line, eventId: String(index) }))
        .filter((line) => line.logGroupName === logGroupName && line.timestamp >= Number(startTime)),
    }),
  };
  const control = await startJsonServer({ answers });
  const environment = {
    AWS_REGION: testAccess.region,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_ENDPOINT_URL: control.url,
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_ENDPOINT_URL_KINESIS: kinesis.url,
    AWS_ENDPOINT_URL_RDS_DATA: dataApi.url,
    AWS_ENDPOINT_URL_ATHENA: athena.url,
    AWS_ENDPOINT_URL_LAMBDA: lambda.url,
  };

  const landed = new Map<string, string>();
  /** Lands the records since the previous call, one object per shard, as the event source mapping does. */
  async function land(): Promise<void> {
    for (const { id: shard } of kinesis.log.shards()) {
      const after = landed.get(shard);
      const from = { shard, limit: 1000, maxBytes: 2 ** 24, ...(after !== undefined && { after }) };
      const records = await kinesis.log.read(from);
      if (records.length === 0) continue;
      await landRecords({ store, stream: orderStream, clock }, records);
      landed.set(shard, records.at(-1)!.sequenceNumber);
    }
  }

  return {
    environment,
    /** How much later than the stream the functions believe it to be. */
    time,
    outputs,
    answers,
    athena,
    stream: kinesis.log,
    machines,
    logs,
    logGroup,
    store,
    owner: gold.owner,
    emptyGold: () => gold.empty(),
    land,
    async close() {
      for (const server of [control, lambda, athena, dataApi, kinesis, s3]) await server.close();
      await lake.close();
      await gold.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type DeployedFixture = Awaited<ReturnType<typeof startDeployedPipeline>>;
