import { setTimeout as sleep } from "node:timers/promises";
import { kinesisAccount } from "../lambdas/adapters/kinesis-account.ts";
import { sharedKinesisClient } from "../lambdas/adapters/kinesis-client.ts";
import { openKinesisSink } from "../lambdas/adapters/kinesis-sink.ts";
import {
  loadCatalog,
  loadChecks,
  loadGoldSql,
  loadQualitySql,
  loadRefusedSql,
  loadTraceSql,
} from "../lambdas/adapters/project-files.ts";
import { openS3Store } from "../lambdas/adapters/s3-store.ts";
import { openS3Eraser } from "../lambdas/adapters/s3-eraser.ts";
import { openSecrets } from "../lambdas/adapters/secrets.ts";
import { explainRow } from "../lambdas/explain/explain-row.ts";
import { listCorrections } from "../lambdas/gold/list-corrections.ts";
import { listBackups } from "../lambdas/backup/manifest.ts";
import { forgetCustomer } from "../lambdas/forget/forget-customer.ts";
import { once } from "../lambdas/handlers/once.ts";
import { chooseRules, lookAtQuality } from "../lambdas/quality/look-at-quality.ts";
import { profileSilver } from "../lambdas/quality/profile-silver.ts";
import { verifyReceipt } from "../lambdas/quality/verify-receipt.ts";
import { rebuild } from "../lambdas/rebuild/rebuild.ts";
import { heldOrders } from "../lambdas/quarantine/held-orders.ts";
import { listRefused } from "../lambdas/quarantine/list-refused.ts";
import { versionTable } from "../lambdas/silver/version-table.ts";
import { createCustomerKey } from "../lambdas/silver/customer-key.ts";
import { openQuarantine, openSilver, orderStream, quarantineLakeTable } from "../lambdas/silver/tables.ts";
import { traceOrder } from "../lambdas/trace/trace-order.ts";
import { findDeployment } from "./deployment.ts";
import { openExecutions } from "./executions.ts";
import { openFunctionLogs } from "./function-logs.ts";
import { countKept } from "./kept-in-stream.ts";
import { landingProgress } from "./landing-progress.ts";
import { openLakeSql } from "./open-lake-sql.ts";
import { openReader, openWriter } from "./open-warehouse.ts";
import { openBackupStore, restoreRemotely } from "./remote-backups.ts";
import { remoteCredentials } from "./remote-credentials.ts";
import type { RemoteHome, RemoteHomeOptions } from "./remote-home.ts";
import { remoteStatus } from "./remote-status.ts";

/** How long `drain` waits for landing before it says so. */
const landingPatienceMs = 15 * 60_000;
const landingPauseMs = 2000;

/** Opens the home that was deployed as an environment's stacks; the SDK's own settings say as whom and where. */
export async function openRemoteHome({
  environment,
  lakeSql,
  onProgress = () => {},
}: RemoteHomeOptions): Promise<RemoteHome> {
  const deployment = await findDeployment(environment);
  const { lakeBucket, onFailureBucket, streamName } = deployment;
  const kinesis = sharedKinesisClient();
  const store = openS3Store({ bucket: lakeBucket });
  const onFailure = openS3Store({ bucket: onFailureBucket });
  const place = { store, clock: Date.now };
  const [silver, quarantine] = [openSilver(place), openQuarantine(place)];
  const executions = openExecutions(deployment, { onProgress });
  const closers: (() => unknown)[] = [];
  const opened = <Thing extends { close(): unknown }>(open: () => Promise<Thing>) =>
    once(async () => {
      const thing = await open();
      closers.push(() => thing.close());
      return thing;
    });
  const warehouse = opened(() => openReader(deployment));
  const lake = opened(() => openLakeSql(deployment, { store, lakeSql }));

  async function customerKey() {
    const { key } = await openSecrets().read(deployment.customerKeySecretArn);
    if (!key) throw new Error(`secret ${deployment.customerKeySecretArn} has no field key: see docs/deploy.md`);
    return createCustomerKey(key);
  }

  async function untilLanded(): Promise<void> {
    const started = Date.now();
    for (;;) {
      const { stream } = await landingProgress({ client: kinesis, streamName, store, onFailure });
      if (stream.shardsBehind === 0) return;
      if (Date.now() - started > landingPatienceMs) {
        throw new Error(
          `landing of ${streamName} is ${stream.waitingSeconds} s behind: see pizza status and pizza logs`,
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
      account: kinesisAccount({ streamName, store, onFailure, stream: orderStream, client: kinesis }),
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
      remoteStatus({
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
    refused: async () => listRefused({ silver, quarantine, lake: await lake(), sql: loadRefusedSql() }),
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
      return await lookAtQuality({ ...place, ...sql, silver, catalog: loadCatalog() }, { rules, verify });
    },
    async query(sql, { lake: onLake, version }) {
      if (!onLake) return await (await warehouse()).query(sql);
      const tables = [await versionTable(store, silver, version), quarantineLakeTable(await quarantine.snapshot())];
      return await (await lake()).query(sql, [], tables);
    },
    credentials: () => remoteCredentials(deployment),
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
    restore: (id) => restoreRemotely(deployment, id),
    async close() {
      for (const closer of closers.splice(0)) await closer();
    },
  };
}
