import { randomBytes } from "node:crypto";
import { openDuckDbLake } from "../lambdas/adapters/duckdb-lake.ts";
import { openFolderStore } from "../lambdas/adapters/folder-store.ts";
import { openPostgresWarehouse } from "../lambdas/adapters/postgres-warehouse.ts";
import { loadCatalog, loadMigrations, readProjectFile } from "../lambdas/adapters/project-files.ts";
import { landRecords } from "../lambdas/bronze/land-records.ts";
import { migrate } from "../lambdas/gold/migrate.ts";
import { verifyReceipt } from "../lambdas/quality/verify-receipt.ts";
import { createCustomerKey } from "../lambdas/silver/customer-key.ts";
import {
  openQuarantine,
  openSilver,
  orderStream,
  quarantineLakeTable,
  silverLakeTable,
} from "../lambdas/silver/tables.ts";
import { createFunctions, type GoldSql } from "./functions.ts";
import { workflowNames, type Credentials, type Home } from "./home-api.ts";
import { homeFolder, prepareHome, writeHomeRecord, type HomeRecord } from "./home-folder.ts";
import { createHomeStatus } from "./home-status.ts";
import { startEventSourceMapping } from "./event-source-mapping.ts";
import { startPostgres } from "./postgres.ts";
import { processStart } from "./process-state.ts";
import { createRunLedger } from "./run-ledger.ts";
import { openStreamLog } from "./stream/stream-log.ts";
import { streamAccount } from "./stream-account.ts";
import { startTimer } from "./timer.ts";
import { loadWorkflow } from "./workflow-runner.ts";

export interface HomeOptions {
  dir: string;
  madeBy?: HomeRecord["madeBy"];
  /** Shards of the stream; an existing stream is resharded to it, without it stays as it is. */
  shards?: number | undefined;
  postgresPort?: number | undefined;
  onLog?: (line: string) => void;
}

const settings = {
  shards: 2,
  /** The event source mapping waits this long for a batch to fill. */
  landingWindowMs: 200,
  landingBatchRecords: 100,
  /** The workflows follow a landing after this pause at the earliest. */
  timerMs: 500,
  /** Without a landing they look this often: for late objects and for rows per customer. */
  idleMs: 30_000,
  customersEveryMs: 60_000,
  sweepEveryMs: 300_000,
};

const readRole = "reader";

/** Opens the embedded home in this process: stream, landing, lake, PostgreSQL, workflows and their timer. */
export async function openHome({
  dir,
  madeBy = "start",
  shards,
  postgresPort,
  onLog = () => {},
}: HomeOptions): Promise<Home> {
  const folder = homeFolder(dir);
  const record = prepareHome(folder, madeBy);
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    return await assemble();
  } catch (error) {
    await close();
    throw error;
  }

  async function assemble(): Promise<Home> {
    const stream = await openStreamLog({ dir: folder.stream, shards: shards ?? settings.shards, onNotice: onLog });
    closers.push(() => stream.close());
    if (shards !== undefined) await stream.reshard(shards);
    const postgres = await startPostgres({ dir: folder.postgres, ...(postgresPort && { port: postgresPort }), onLog });
    closers.push(() => postgres.stop());
    const [owner, writer, reader] = (["owner", "writer", "reader"] as const).map((role) =>
      openPostgresWarehouse({ connectionString: postgres.connectionString(role) }),
    );
    closers.push(() => Promise.all([owner!.close(), writer!.close(), reader!.close()]));
    await migrate({ warehouse: owner!, migrations: loadMigrations() });

    const clock = Date.now;
    const store = openFolderStore(folder.lake);
    const onFailure = openFolderStore(folder.onFailure);
    const lake = await openDuckDbLake({ root: folder.lake });
    closers.push(async () => lake.close());
    const onCheckpointError = (error: unknown) => onLog(`checkpoint not written: ${messageOf(error)}`);
    const silver = openSilver({ store, clock, onCheckpointError });
    const quarantine = openQuarantine({ store, clock, onCheckpointError });
    const catalog = loadCatalog();
    const customerKey = createCustomerKey(record.customerSecret);
    const refinery = { store, stream: orderStream, silver, quarantine, catalog, customerKey, clock };

    const runs = await createRunLedger({ warehouse: writer!, silver, clock });
    const functions = createFunctions({
      refinery,
      lake,
      warehouse: writer!,
      goldSql: loadGoldSql(),
      customersEveryMs: settings.customersEveryMs,
    });
    const workflows = new Map(workflowNames.map((name) => [name, loadWorkflow(name, functions)]));
    const inputs: Record<string, Record<string, string>> = {
      bronze_to_silver: { sweep: "full" },
      silver_to_gold: { customers: "now" },
    };
    const runWorkflow = (name: string, input: Record<string, string> = inputs[name]!) =>
      runs.record(name, () => workflows.get(name)!.run(input));

    let sweptAt = 0;
    const timer = startTimer({
      intervalMs: settings.timerMs,
      idleMs: settings.idleMs,
      onError: (error) => onLog(error.message),
      task: async () => {
        const sweep = clock() - sweptAt >= settings.sweepEveryMs ? "full" : "recent";
        await runWorkflow("bronze_to_silver", { sweep });
        if (sweep === "full") sweptAt = clock();
        await runWorkflow("silver_to_gold", { customers: "when due" });
      },
    });
    closers.push(() => timer.stop());

    const mapping = startEventSourceMapping({
      stream,
      checkpointDir: folder.checkpoints,
      onFailure,
      batchSize: settings.landingBatchRecords,
      windowMs: settings.landingWindowMs,
      // Landing fails for want of disk only, and the on-failure store is on the same one: wait for room.
      maximumRetryAttempts: -1,
      maximumRecordAgeMs: -1,
      bisectBatchOnFunctionError: true,
      onEvent: (event) => {
        if ("error" in event) onLog(`landing ${event.shard}: ${event.type}: ${messageOf(event.error)}`);
      },
      invoke: async (records) => {
        await landRecords({ store, stream: orderStream }, records);
        timer.wake();
      },
    });
    closers.push(() => mapping.stop());

    const drain = async () => {
      await mapping.drain();
      await timer.runNow(async () => {
        await runWorkflow("bronze_to_silver");
        await runWorkflow("silver_to_gold");
      });
    };

    return {
      sink: stream,
      status: createHomeStatus({
        folder,
        stream,
        mapping,
        silver,
        quarantine,
        lake,
        warehouse: writer!,
        postgres,
        runs,
      }),
      async run(workflow) {
        if (!workflows.has(workflow)) {
          throw new Error(`workflow ${workflow} is not known: choose one of ${[...workflows.keys()].join(", ")}`);
        }
        const started = clock();
        const output = await timer.runNow(() => runWorkflow(workflow));
        return { workflow, milliseconds: clock() - started, output };
      },
      drain,
      verify: () =>
        timer.runNow(() =>
          verifyReceipt({
            store,
            stream: orderStream,
            account: streamAccount(stream, mapping.checkpoints(), onFailure),
            silver,
            quarantine,
            lake,
            warehouse: reader!,
            catalog,
            customerKey,
            goldSql: loadGoldSql(),
            checks: loadChecks(),
          }),
        ),
      async query(sql, { lake: onLake, version }) {
        if (!onLake) return await reader!.query(sql);
        const tables = [
          silverLakeTable(await silver.snapshot(version)),
          quarantineLakeTable(await quarantine.snapshot()),
        ];
        return await lake.query(sql, [], tables);
      },
      credentials: async (): Promise<Credentials> => {
        const { host, port, database, roles } = postgres.credentials;
        return { host, port, database, ...roles[readRole], url: postgres.connectionString(readRole) };
      },
      close,
    };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Notes in `home.json` that this process has the home: `publish` once it listens, `withdraw` when it stops. */
export function announceHome(dir: string) {
  const folder = homeFolder(dir);
  const token = randomBytes(24).toString("hex");
  const { process: _, ...record } = prepareHome(folder, "start");
  const startedAt = new Date().toISOString();
  return {
    token,
    publish(port: number) {
      const { pid } = process;
      writeHomeRecord(folder, { ...record, process: { pid, started: processStart(pid), port, token, startedAt } });
    },
    withdraw: () => writeHomeRecord(folder, record),
  };
}

function loadGoldSql(): GoldSql {
  return {
    dayTotals: readProjectFile("sql/gold/day-totals.sql"),
    dayHours: readProjectFile("sql/gold/day-hours.sql"),
    dayItems: readProjectFile("sql/gold/day-items.sql"),
    dayStores: readProjectFile("sql/gold/day-stores.sql"),
    customerDays: readProjectFile("sql/gold/customer-days.sql"),
  };
}

function loadChecks() {
  return {
    quarantinedEvents: readProjectFile("sql/checks/quarantined-events.sql"),
    silverDays: readProjectFile("sql/checks/silver-days.sql"),
    silverRepeats: readProjectFile("sql/checks/silver-repeats.sql"),
    goldDays: readProjectFile("sql/checks/gold-days.sql"),
    goldFacts: readProjectFile("sql/checks/gold-facts.sql"),
    goldSums: readProjectFile("sql/checks/gold-sums.sql"),
  };
}
