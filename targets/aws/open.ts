import { setTimeout as sleep } from "node:timers/promises";
import { DescribeStreamSummaryCommand, type KinesisClient } from "@aws-sdk/client-kinesis";
import { kinesisContents } from "../../adapters/kinesis-account.ts";
import { sharedKinesisClient, openKinesisSink } from "../../adapters/kinesis.ts";
import {
  loadCatalog,
  loadChecks,
  loadGoldSql,
  loadQualitySql,
  loadQuarantinedSql,
  loadTraceSql,
} from "../../adapters/project-files.ts";
import { openS3Store, openS3Eraser } from "../../adapters/s3.ts";
import { openCustomerKey } from "../../adapters/secrets.ts";
import type { BackupSummary } from "../../pipeline/backup/back-up-warehouse.ts";
import { listBackups } from "../../pipeline/backup/manifest.ts";
import { explainRow } from "../../pipeline/explain/explain-row.ts";
import { forgetCustomer, type RedactStream } from "../../pipeline/forget/forget-customer.ts";
import type { LineageEvent } from "../../pipeline/lineage/open-lineage.ts";
import { readEvents, type LineageQuery } from "../../pipeline/lineage/record-lineage.ts";
import { listCorrections } from "../../pipeline/gold/list-corrections.ts";
import { chooseRules, previewQuality } from "../../pipeline/quality/check-quality.ts";
import { profileSilver } from "../../pipeline/quality/profile-silver.ts";
import { heldOrders, listQuarantined } from "../../pipeline/quarantine/list-quarantined.ts";
import { rebuild } from "../../pipeline/rebuild/rebuild.ts";
import { verifyReceipt } from "../../pipeline/reconciliation/verify-receipt.ts";
import {
  versionTable,
  openQuarantine,
  openSilver,
  orderStream,
  quarantineLakeTable,
} from "../../pipeline/silver/tables.ts";
import { traceOrder } from "../../pipeline/trace/trace-order.ts";
import type { Pipeline } from "../pipeline-api.ts";
import {
  openLakeSql,
  openReader,
  openWriter,
  openBackupStore,
  restoreDeployed,
  deployedCredentials,
} from "./connections.ts";
import { findDeployment, type Deployment } from "./deployment.ts";
import { openExecutions } from "./executions.ts";
import { openFunctionLogs, type FunctionLogs } from "./function-logs.ts";
import { landingProgress } from "./landing-progress.ts";
import { deployedStatus } from "./status.ts";

/** How long `drain` waits for landing before it says so. */
const landingPatienceMs = 15 * 60_000;
const landingPauseMs = 2000;

/** Opens the home that was deployed as an environment's stacks; the SDK's own settings say as whom and where. */
export async function openDeployedPipeline({
  environment,
  lakeSql,
  onProgress = () => {},
}: DeployedPipelineOptions): Promise<DeployedPipeline> {
  const deployment = await findDeployment(environment);
  const { lakeBucket, onFailureBucket, streamName } = deployment;
  const kinesis = sharedKinesisClient();
  const store = openS3Store({ bucket: lakeBucket });
  const onFailure = openS3Store({ bucket: onFailureBucket });
  const place = { store, clock: Date.now };
  const [silver, quarantine] = [openSilver(place), openQuarantine(place)];
  const executions = openExecutions(deployment, { onProgress });
  const closers: (() => unknown)[] = [];
  const opened = <Thing extends { close(): unknown }>(open: () => Promise<Thing>) => {
    let thing: Promise<Thing> | undefined;
    return async () => {
      if (thing === undefined) {
        thing = open();
        closers.push(async () => (await thing)?.close());
      }
      return await thing;
    };
  };
  const warehouse = opened(() => openReader(deployment));
  const lake = opened(() => openLakeSql(deployment, { store, lakeSql }));

  const customerKey = () => openCustomerKey(deployment.customerKeySecretArn);

  async function untilLanded(): Promise<void> {
    const started = Date.now();
    for (;;) {
      const { stream } = await landingProgress({ client: kinesis, streamName, store, onFailure });
      if (stream.shardsBehind === 0) return;
      if (Date.now() - started > landingPatienceMs) {
        throw new Error(
          `landing of ${streamName} is ${stream.waitingSeconds} s behind: see ./pizza status and ./pizza logs`,
        );
      }
      onProgress(`landing: ${stream.shardsBehind} shards behind, ${stream.waitingSeconds} s`);
      await sleep(landingPauseMs);
    }
  }

  const verify = async () =>
    verifyReceipt({
      store,
      stream: orderStream,
      account: kinesisContents({ streamName, store, onFailure, stream: orderStream, client: kinesis }),
      silver,
      quarantine,
      lake: await lake(),
      warehouse: await warehouse(),
      catalog: loadCatalog(),
      customerKey: await customerKey(),
      goldSql: loadGoldSql(),
      checks: loadChecks(),
    });

  return {
    deployment,
    sink: openKinesisSink({ streamName }),
    logs: openFunctionLogs(deployment),
    status: async () =>
      deployedStatus({
        deployment,
        kinesis,
        store,
        onFailure,
        silver,
        quarantine,
        executions,
        warehouse: await warehouse(),
      }),
    run: (workflow) => executions.run(workflow),
    async drain() {
      await untilLanded();
      await executions.run("bronze_to_silver");
      await executions.run("silver_to_gold");
    },
    heldOrders: async (orderIds) => heldOrders({ silver, lake: await lake() }, orderIds),
    rejected: async () => listQuarantined({ silver, quarantine, lake: await lake(), sql: loadQuarantinedSql() }),
    async forget(customerId) {
      await untilLanded();
      await executions.run("bronze_to_silver");
      const refinery = {
        ...place,
        stream: orderStream,
        silver,
        quarantine,
        catalog: loadCatalog(),
        customerKey: await customerKey(),
      };
      const eraser = openS3Eraser({ bucket: lakeBucket });
      const redactStream = countKept({ kinesis, streamName });
      const summary = await forgetCustomer({ refinery, eraser, redactStream }, customerId);
      await executions.run("silver_to_gold");
      return summary;
    },
    async trace(orderId) {
      const engines = { lake: await lake(), warehouse: await warehouse() };
      return await traceOrder(
        { store, stream: orderStream, silver, quarantine, sql: loadTraceSql(), ...engines },
        orderId,
      );
    },
    explain: async (request) => explainRow({ silver, lake: await lake(), warehouse: await warehouse() }, request),
    corrections: async (asked) =>
      listCorrections({ store, silver, lake: await lake(), warehouse: await warehouse() }, asked),
    verify,
    profile: async () => profileSilver({ silver, lake: await lake() }),
    async quality({ rule } = {}) {
      const rules = chooseRules(rule);
      const sql = { lake: await lake(), warehouse: await warehouse(), qualitySql: loadQualitySql() };
      return await previewQuality({ ...place, ...sql, silver, catalog: loadCatalog() }, { rules, verify });
    },
    async query(sql, { lake: onLake, version }) {
      if (!onLake) return await (await warehouse()).query(sql);
      const tables = [await versionTable(store, silver, version), quarantineLakeTable(await quarantine.snapshot())];
      return await (await lake()).query(sql, [], tables);
    },
    credentials: () => deployedCredentials(deployment),
    backups: () => listBackups(openBackupStore(deployment)),
    async rebuild(request) {
      const rights = { catalog: loadCatalog(), customerKey: await customerKey(), clock: Date.now };
      const writer = await openWriter(deployment);
      try {
        const refinery = { store, stream: orderStream, silver, quarantine, ...rights };
        return await rebuild({ refinery, lake: await lake(), warehouse: writer, sql: loadGoldSql() }, request);
      } finally {
        await writer.close();
      }
    },
    restore: (id) => restoreDeployed(deployment, id),
    async close() {
      for (const closer of closers.splice(0)) await closer();
    },
  };
}

/** A deployed home, as the command line uses it. */
export interface DeployedPipeline extends Pipeline {
  deployment: Deployment;
  logs: FunctionLogs;
  /** Restores a backup, the newest that was proven where none is named, into an empty warehouse. */
  restore(id: string | undefined): Promise<BackupSummary>;
}

export type LakeSql = "athena" | "duckdb";

interface DeployedPipelineOptions {
  environment: string;
  /** What reads the lake; Athena where the environment has a workgroup. */
  lakeSql?: LakeSql;
  /** Hears what is being waited for. */
  onProgress?: (text: string) => void;
}

const hourMs = 3_600_000;

/** Kinesis records cannot be rewritten: says how many of them the stream still keeps. */
function countKept({ kinesis, streamName }: { kinesis: KinesisClient; streamName: string }): RedactStream {
  return async (records) => {
    const summary = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: streamName }));
    const { RetentionPeriodHours = 24 } = summary.StreamDescriptionSummary!;
    const oldest = Date.now() - RetentionPeriodHours * hourMs;
    return { rewritten: 0, kept: records.filter(({ arrivedAt }) => arrivedAt >= oldest).length };
  };
}

/** The recorded lineage events of a deployed pipeline. */
export async function readDeployedLineage(environment: string, asked: LineageQuery): Promise<LineageEvent[]> {
  const { lakeBucket } = await findDeployment(environment);
  return await readEvents(openS3Store({ bucket: lakeBucket }), asked);
}
