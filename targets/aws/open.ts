import { setTimeout as sleep } from "node:timers/promises";
import { DescribeStreamSummaryCommand, type KinesisClient } from "@aws-sdk/client-kinesis";
import { kinesisContents } from "../../adapters/kinesis-contents.ts";
import { sharedKinesisClient, openKinesisSink } from "../../adapters/kinesis.ts";
import { loadCatalog, loadGoldSql } from "../../adapters/project-files.ts";
import { openS3Store, openS3Eraser } from "../../adapters/s3.ts";
import { openCustomerKey } from "../../adapters/secrets.ts";
import type { BackupSummary } from "../../pipeline/backup/back-up-warehouse.ts";
import { forgetCustomer, type RedactStream } from "../../pipeline/forget/forget-customer.ts";
import type { LineageEvent } from "../../pipeline/lineage/open-lineage.ts";
import { readLineageEvents, type LineageQuery } from "../../pipeline/lineage/record-lineage.ts";
import { rebuild } from "../../pipeline/rebuild/rebuild.ts";
import { openQuarantine, openSilver, orderStream } from "../../pipeline/silver/tables.ts";
import { createPipeline, type Pipeline } from "../operations.ts";
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
import { createProgressBoard } from "../progress.ts";
import { createDeployedStatus } from "./status.ts";
import { hourMs } from "../../pipeline/domain/dates.ts";

/** How long `drain` waits for landing before it fails. */
const landingPatienceMs = 15 * 60_000;
const landingPauseMs = 2000;

/**
 * Opens the pipeline that an environment's stacks deployed; credentials and region come from the AWS SDK's settings.
 */
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
  const tableContext = { store, clock: Date.now };
  const [silver, quarantine] = [openSilver(tableContext), openQuarantine(tableContext)];
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
  const refinery = async () => ({
    ...tableContext,
    stream: orderStream,
    silver,
    quarantine,
    catalog: loadCatalog(),
    customerKey: await customerKey(),
  });

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

  const progressBoard = createProgressBoard();
  const pipeline = createPipeline({
    progress: progressBoard,
    ...tableContext,
    silver,
    quarantine,
    backups: () => openBackupStore(deployment),
    lake,
    reader: warehouse,
    adHoc: warehouse,
    customerKey,
    streamContents: () => kinesisContents({ streamName, store, onFailure, stream: orderStream, client: kinesis }),
    exclusively: (job) => job(),
    own: {
      sink: openKinesisSink({ streamName }),
      status: createDeployedStatus({
        deployment,
        kinesis,
        executions,
        store,
        onFailure,
        silver,
        quarantine,
        warehouse,
        lake,
      }),
      run: (workflow) => executions.run(workflow),
      async drain() {
        await untilLanded();
        await executions.run("bronze_to_silver");
        await executions.run("silver_to_gold");
      },
      async forget(customerId) {
        await untilLanded();
        await executions.run("bronze_to_silver");
        const eraser = openS3Eraser({ bucket: lakeBucket });
        const redactStream = countKept({ kinesis, streamName });
        const summary = await forgetCustomer({ refinery: await refinery(), eraser, redactStream }, customerId);
        await executions.run("silver_to_gold");
        return summary;
      },
      async rebuild(request) {
        const writer = await openWriter(deployment);
        try {
          const engines = { lake: await lake(), warehouse: writer };
          const sources = { refinery: await refinery(), ...engines, sql: loadGoldSql() };
          return await rebuild({ ...sources, onProgress: progressBoard.follow("rebuild") }, request);
        } finally {
          await writer.close();
        }
      },
      credentials: () => deployedCredentials(deployment),
      async drill() {
        throw new Error("drills send simulated orders and break things: they run on a local pipeline only");
      },
      async close() {
        for (const closer of closers.splice(0)) await closer();
      },
    },
  });
  return {
    ...pipeline,
    deployment,
    logs: openFunctionLogs(deployment),
    restore: (id) => restoreDeployed(deployment, id),
  };
}

/** A deployed pipeline, as the command line uses it. */
export interface DeployedPipeline extends Pipeline {
  deployment: Deployment;
  logs: FunctionLogs;
  /** Restores a backup into an empty warehouse: the newest verified one if no id is given. */
  restore(id: string | undefined): Promise<BackupSummary>;
}

export type LakeSql = "athena" | "duckdb";

interface DeployedPipelineOptions {
  environment: string;
  /** The engine for lake SQL; by default Athena if the environment has a workgroup. */
  lakeSql?: LakeSql;
  /** Called with what the pipeline is waiting for. */
  onProgress?: (text: string) => void;
}

/** Kinesis records cannot be rewritten: returns how many of them the stream still retains. */
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
  return await readLineageEvents(openS3Store({ bucket: lakeBucket }), asked);
}
