import { randomBytes } from "node:crypto";
import { openDuckDbLake } from "../../adapters/duckdb.ts";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { lineageEndpointFrom } from "../../adapters/lineage-endpoint.ts";
import {
  loadCatalog,
  loadGoldSql,
  loadQualitySql,
  readCatalogFiles,
  readProjectJson,
} from "../../adapters/project-files.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import { forgetCustomer, type RedactStream } from "../../pipeline/forget/forget-customer.ts";
import { publishableSnapshot } from "../../pipeline/gold/published-commit.ts";
import { rebuild } from "../../pipeline/rebuild/rebuild.ts";
import type { RebuildReport } from "../../pipeline/rebuild/report.ts";
import { isJudgedByOtherRules } from "../../pipeline/silver/transactions.ts";
import { openQuarantine, openSilver, orderStream } from "../../pipeline/silver/tables.ts";
import { createCustomerKey } from "../../pipeline/silver/write-orders.ts";
import type { Notifier } from "../../pipeline/ports.ts";
import type { Log } from "./event-log.ts";
import { createJournal } from "./journal.ts";
import { createProgressBoard } from "../progress.ts";
import { createFunctions } from "./functions.ts";
import { dueDaily, startTimer } from "./timer.ts";
import { createPipeline, reconcile, type Pipeline, type Target } from "../operations.ts";
import { dailyWorkflows, workflowNames } from "../pipeline-api.ts";
import {
  dataDirectory,
  lockDataDirectory,
  prepareDataDirectory,
  writePipelineRecord,
  type PipelineRecord,
} from "./data-directory.ts";
import { appliesCatalog, rejectChangedCatalog, storeCatalog } from "./used-catalog.ts";
import { createPipelineStatus } from "./status.ts";
import { startEventSourceMapping, openReadOnlyMapping } from "./event-source-mapping/mapping.ts";
import { processStart } from "./machine.ts";
import { createLineageRecorder } from "./lineage.ts";
import { createRunLedger } from "./run-ledger.ts";
import { openStreamLog } from "./stream/stream-log.ts";
import { streamContents } from "./stream-contents.ts";
import { reconnectingWarehouses } from "./warehouses.ts";
import type { Workflow } from "./workflow-runner.ts";
import { errorMessage } from "../../pipeline/domain/errors.ts";

export interface LocalPipelineOptions {
  dir: string;
  madeBy?: PipelineRecord["madeBy"];
  /** Number of shards. An existing stream is resharded to it; without it, the stream keeps its shards. */
  shards?: number | undefined;
  postgresPort?: number | undefined;
  /** Returns while PostgreSQL is still starting: calls that need it wait, and fail with its error. */
  isEarly?: boolean;
  /** Opens it read-only: nothing lands and no workflow starts, so pending records stay pending. */
  isReadOnly?: boolean;
  /**
   * Opens it although menu or stores have changed for days that silver has, and remembers the new ones. Without it,
   * such a change is an error.
   */
  takesChangedCatalog?: boolean;
  /**
   * Opens it for a rebuild: with changed menu and stores, and although gold was published from commits that silver has
   * lost.
   */
  isForRebuild?: boolean;
  onLog?: Log;
  /** Sends the alerts of the workflows; by default they are only logged. */
  notifier?: Notifier;
}

const settings = {
  shards: 2,
  /** Maximum batching window of the event source mapping. */
  landingWindowMs: 200,
  landingBatchRecords: 100,
  /** Minimum pause between a landing and the workflows. */
  timerMs: 500,
  /** Without a landing the workflows run this often, for late objects and for rows by customer. */
  idleMs: 30_000,
  customersEveryMs: 60_000,
  sweepEveryMs: 300_000,
};

const readRole = "reader";

/** Opens the local pipeline in this process: stream, landing, lake, PostgreSQL, workflows and their timer. */
export async function openLocalPipeline({
  dir,
  madeBy = "start",
  shards,
  postgresPort,
  isEarly = false,
  isReadOnly = false,
  takesChangedCatalog = false,
  isForRebuild = false,
  onLog = () => {},
  notifier = { notify: async ({ subject, text }) => onLog(`${subject}\n${text}`, { level: "alert", event: "alert" }) },
}: LocalPipelineOptions): Promise<Pipeline> {
  const folder = dataDirectory(dir);
  const unlock = lockDataDirectory(folder);
  const closers: (() => Promise<unknown>)[] = [async () => unlock()];
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    return await assemble(prepareDataDirectory(folder, madeBy));
  } catch (error) {
    await close();
    throw error;
  }

  async function assemble(record: PipelineRecord): Promise<Pipeline> {
    const files = readCatalogFiles();
    const usedCatalog = { menu: [...files.menu], stores: [...files.stores] };
    if (!isReadOnly && !isForRebuild && !takesChangedCatalog) await rejectChangedCatalog(folder, usedCatalog);
    const stream = await openStreamLog({ dir: folder.stream, shards: shards ?? settings.shards, onNotice: onLog });
    closers.push(() => stream.close());
    if (shards !== undefined) await stream.reshard(shards);
    const warehouses = reconnectingWarehouses({
      dir: folder.postgres,
      port: postgresPort,
      catalog: isReadOnly ? undefined : files,
      onLog,
    });
    closers.push(() => warehouses.close());
    const [writer, reader] = [warehouses.as("writer"), warehouses.as("reader")];
    const clock = Date.now;
    const store = openFolderStore(folder.lake);
    const onFailure = openFolderStore(folder.onFailure);
    const backups = openFolderStore(folder.backups);
    const lake = await openDuckDbLake({ root: folder.lake });
    closers.push(async () => lake.close());
    const onCheckpointError = (error: unknown) => onLog(`checkpoint not written: ${errorMessage(error)}`);
    const silver = openSilver({ store, clock, onCheckpointError });
    const quarantine = openQuarantine({ store, clock, onCheckpointError });
    const catalog = loadCatalog();
    const customerKey = createCustomerKey(record.customerSecret);
    const journal = createJournal(onLog);
    const onRejected = journal.rejected;
    const refinery = { store, stream: orderStream, silver, quarantine, catalog, customerKey, clock, onRejected };

    const goldSql = loadGoldSql();
    const qualitySql = loadQualitySql();
    const lineage = createLineageRecorder({
      folder,
      store,
      database: async () => (await warehouses.current()).postgres.credentials,
      endpoint: lineageEndpointFrom(process.env),
      onLog,
    });
    closers.push(() => lineage.settled());
    const runs = createRunLedger({ warehouse: writer, clock, onRun: (run) => lineage.record(run) });
    const progress = createProgressBoard();
    const functions = createFunctions({
      refinery,
      onFailure,
      lake,
      warehouse: writer,
      goldSql,
      customersEveryMs: settings.customersEveryMs,
      verify: () => reconcile(target),
      backup: {
        store: backups,
        writer: warehouses.transactional("writer"),
        owner: warehouses.transactional("owner"),
        progress: () => progress.follow("backup"),
      },
      quality: {
        sql: qualitySql,
        notifier,
      },
    });
    const workflows = new Map<string, Workflow>();
    const runWorkflow = (name: string, input = sampleInput(name)) =>
      runs.record(name, async (onState) => {
        const workflow = await workflowOf(name);
        const output = await workflow.run(input, (step) => {
          if (step.phase === "entered") onState(step.state);
          journal.step(name, step);
        });
        journal.run(name, output);
        return output;
      });

    /** Loads the interpreter for the first run: a pipeline that is opened to be read needs none. */
    async function workflowOf(name: string): Promise<Workflow> {
      const { loadWorkflow } = await import("./workflow-runner.ts");
      const workflow = workflows.get(name) ?? loadWorkflow(name, functions);
      workflows.set(name, workflow);
      return workflow;
    }

    if (!isReadOnly && isJudgedByOtherRules(await silver.snapshot())) await judgeAgain();

    /**
     * Brings a data directory of an earlier release up to date: nothing is refined before its rules are this program's.
     */
    async function judgeAgain(): Promise<void> {
      onLog("the rules have changed since this data directory was filled: every event is judged again, from bronze");
      await warehouses.current();
      const request = { from: "0001-01-01", to: "9999-12-31", source: "bronze" as const, isDryRun: false };
      const context = { refinery, lake, warehouse: writer, sql: goldSql };
      const { rebuilt } = await runs.record("rebuild", async () => ({ rebuilt: await rebuild(context, request) }));
      const report = rebuilt as RebuildReport;
      if (!report.published) {
        const { objects, records } = report.missing;
        throw new Error(
          `bronze lacks ${objects.length} objects and ${records.length} records that silver was made from, such as ` +
            `${objects[0] ?? records[0]}: restore them from a copy of ${folder.lake}, then start again`,
        );
      }
    }

    let sweptAt = -Infinity;
    let flushes = 0;
    const timer = startTimer({
      intervalMs: settings.timerMs,
      idleMs: isReadOnly ? Infinity : settings.idleMs,
      onError: (error) => onLog(error.message, { level: "error", event: "run_failed" }),
      task: async () => {
        const sweep = performance.now() - sweptAt >= settings.sweepEveryMs ? "full" : "recent";
        await runWorkflow("bronze_to_silver", { sweep });
        if (sweep === "full") sweptAt = performance.now();
        // A flush publishes everything at its end; half a day published now would be published again.
        if (flushes > 0) return;
        await runWorkflow("silver_to_gold", { customers: "when due" });
        const since = Date.parse(record.createdAt);
        for (const workflow of await dueDaily(dailyWorkflows, { runs, since, clock })) await runWorkflow(workflow);
      },
    });
    closers.push(() => timer.stop());

    let landingFailsUntil = 0;
    let invocations = 0;
    const startMapping = () =>
      startEventSourceMapping({
        stream,
        checkpointDir: folder.checkpoints,
        onFailure,
        batchSize: settings.landingBatchRecords,
        windowMs: settings.landingWindowMs,
        // Landing fails only when the disk is full, and the on-failure destination is on the same disk: retry until
        // there is room.
        maximumRetryAttempts: -1,
        maximumRecordAgeMs: -1,
        bisectBatchOnFunctionError: true,
        onEvent: (event) => journal.landing(event),
        invoke: async (records) => {
          // A drill makes it fail: every other time after it has written, so that what landed is delivered again.
          const fails = clock() < landingFailsUntil;
          if (fails && invocations++ % 2 === 0) throw new Error("a drill: landing fails before it writes");
          await landRecords({ store, stream: orderStream }, records);
          if (fails) throw new Error("a drill: landing fails after it has written");
          timer.wake();
        },
      });
    // Before anything lands: refining would give the number of a lost commit to a new one.
    if (!isEarly && !isReadOnly && !isForRebuild) await publishableSnapshot({ silver, warehouse: writer });
    if (!isReadOnly && !isForRebuild) await storeCatalog(folder, usedCatalog);
    const mapping = isReadOnly ? openReadOnlyMapping(folder.checkpoints) : startMapping();
    closers.push(() => mapping.stop());

    const contents = () => streamContents(stream, mapping.checkpoints(), onFailure);

    const drain = async () => {
      flushes += 1;
      try {
        await Promise.all([mapping.flush(), warehouses.current()]);
        await timer.runNow(async () => {
          await runWorkflow("bronze_to_silver");
          await runWorkflow("silver_to_gold");
        });
      } finally {
        flushes -= 1;
      }
    };
    if (!isEarly) await warehouses.current();

    const status = createPipelineStatus({
      folder,
      stream,
      mapping,
      store,
      silver,
      quarantine,
      runs,
      lake: async () => lake,
      warehouse: async () => writer,
      postgres: async () => (await warehouses.current()).postgres,
    });
    const target: Target = {
      progress,
      store,
      clock,
      silver,
      quarantine,
      backups: () => backups,
      lake: async () => lake,
      reader: async () => reader,
      adHoc: async () => warehouses.as("adHoc"),
      customerKey: async () => customerKey,
      streamContents: contents,
      exclusively: (job) => timer.runNow(job),
      own: {
        sink: stream,
        status,
        async run(workflow) {
          if (!workflowNames.includes(workflow)) {
            throw new Error(`workflow ${workflow} is not known: choose one of ${workflowNames.join(", ")}`);
          }
          const started = clock();
          const output = await timer.runNow(() => runWorkflow(workflow));
          return { workflow, milliseconds: clock() - started, output };
        },
        drain,
        async forget(customerId) {
          await Promise.all([mapping.flush(), warehouses.current()]);
          return await timer.runNow(async () => {
            await runWorkflow("bronze_to_silver");
            const eraser = { erase: (key: string) => store.delete(key) };
            const redactStream: RedactStream = async (records) => ({
              rewritten: await stream.replace(records),
              kept: 0,
            });
            const summary = await forgetCustomer({ refinery, eraser, redactStream }, customerId);
            await runWorkflow("silver_to_gold");
            return summary;
          });
        },
        async rebuild(request) {
          const onProgress = progress.follow("rebuild");
          const context = { refinery, lake, warehouse: writer, sql: goldSql, onProgress };
          const { rebuilt } = await runs.record("rebuild", async () => ({
            rebuilt: await rebuild({ ...context, exclusively: (job) => timer.runNow(job) }, request),
          }));
          const report = rebuilt as RebuildReport;
          if (appliesCatalog(request, report)) await storeCatalog(folder, usedCatalog);
          return report;
        },
        async credentials() {
          const { postgres } = await warehouses.current();
          const { host, port, database, roles } = postgres.credentials;
          return { host, port, database, ...roles[readRole], url: postgres.connectionString(readRole) };
        },
        async drill(name) {
          const { runDrill } = await import("./drills.ts");
          return await runDrill(name, {
            sink: stream,
            failLanding: (milliseconds) => void (landingFailsUntil = clock() + milliseconds),
            async killPostgres() {
              const { pid } = (await warehouses.current()).postgres;
              process.kill(pid, "SIGKILL");
              return pid;
            },
            drain,
            verify: () => target.exclusively(() => reconcile(target)),
          });
        },
        close,
      },
    };
    return createPipeline(target);
  }
}

/** Records in `home.json` that this process runs the pipeline: `publish` once it listens, `withdraw` when it stops. */
export function announcePipeline(dir: string) {
  const folder = dataDirectory(dir);
  const token = randomBytes(24).toString("hex");
  const { process: _, ...record } = prepareDataDirectory(folder, "start");
  const startedAt = new Date().toISOString();
  return {
    token,
    publish(port: number) {
      const { pid } = process;
      writePipelineRecord(folder, { ...record, process: { pid, started: processStart(pid), port, token, startedAt } });
    },
    withdraw: () => writePipelineRecord(folder, record),
  };
}

/** The input of a manual run; the schedule on AWS passes the same. */
function sampleInput(workflow: string): Record<string, string> {
  return readProjectJson(`step-functions/${workflow}.input.json`);
}
