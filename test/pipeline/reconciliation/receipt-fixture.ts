import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { openDuckDbLake } from "../../../adapters/duckdb.ts";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import { loadChecks, loadQualitySql, loadTraceSql } from "../../../adapters/project-files.ts";
import { landRecords } from "../../../pipeline/bronze/land-records.ts";
import type { FailedReceipt } from "../../../pipeline/quality/evaluate-rule.ts";
import type { QualitySummary } from "../../../pipeline/quality/check-quality.ts";
import { forgetCustomer, type RedactStream } from "../../../pipeline/forget/forget-customer.ts";
import type { ObjectStore, StreamRecord } from "../../../pipeline/ports.ts";
import { verifyReceipt, type ReconciliationSources } from "../../../pipeline/reconciliation/verify-receipt.ts";
import { rebuild, type RebuildContext, type RebuildRequest } from "../../../pipeline/rebuild/rebuild.ts";
import { refineSilver, type RefineOptions } from "../../../pipeline/silver/refine-silver.ts";
import { openQuarantine, openSilver, orderStream } from "../../../pipeline/silver/tables.ts";
import { traceOrder } from "../../../pipeline/trace/trace-order.ts";
import { createFunctions } from "../../../targets/local/functions.ts";
import { openStreamLog } from "../../../targets/local/stream/stream-log.ts";
import { streamContents } from "../../../targets/local/stream-contents.ts";
import { sql as goldSql, type GoldPipeline } from "../gold/gold-fixture.ts";
import type { Catalog } from "../../../pipeline/domain/catalog.ts";
import { catalog as orderCatalog } from "../../support/order-fixture.ts";
import { customerKey } from "../silver/refine-fixture.ts";

const checks = loadChecks();

const noon = Date.parse("2015-03-05T12:00:00Z");

/** Opens the whole pipeline in one folder; the test runs each step. Gold is the shared database, emptied first. */
export async function openReceiptPipeline(gold: GoldPipeline, { catalog = orderCatalog } = {}) {
  await gold.empty();
  const dir = mkdtempSync(join(tmpdir(), "pizza-receipt-"));
  const time = { now: noon };
  const clock = () => time.now;
  const messages: { subject: string; text: string }[] = [];
  const openStream = () => openStreamLog({ dir: join(dir, "stream"), shards: 1, clock });
  let stream = await openStream();
  const [store, onFailure] = [openFolderStore(join(dir, "lake")), openFolderStore(join(dir, "on-failure"))];
  const lake = await openDuckDbLake({ root: join(dir, "lake"), threads: 1 });
  const openTables = (over: ObjectStore = store) => {
    const place = { store: over, clock };
    return { silver: openSilver(place), quarantine: openQuarantine(place) };
  };
  const { silver, quarantine } = openTables();
  let refinery = { store, stream: orderStream, silver, quarantine, catalog, customerKey, clock };
  const functionsOf = () =>
    createFunctions({
      refinery,
      onFailure,
      lake,
      warehouse: gold.writer,
      goldSql,
      customersEveryMs: 0,
      verify: () => pipeline.verify(),
      quality: { sql: loadQualitySql(), notifier: { notify: async (message) => void messages.push(message) } },
    });
  let run = functionsOf();
  const call = async (name: string, input: object = {}) => await run[name]!(input as never);
  const checkpoints: Record<string, string> = {};

  const pipeline = {
    dir,
    store,
    onFailure,
    silver,
    quarantine,
    owner: gold.owner,
    checkpoints,
    time,
    lake,
    /** The alerts that were sent. */
    messages,
    /** Replaces the menu, as a new release would. */
    replaceCatalog(next: Catalog) {
      refinery = { ...refinery, catalog: next };
      run = functionsOf();
    },
    /** Opens the tables again, as a new process does. */
    reopenTables() {
      refinery = { ...refinery, ...openTables() };
      run = functionsOf();
    },
    /** Puts records into the stream (an array of events is one batch) and returns them as the stream delivers them. */
    send: (...contents: (object[] | Buffer)[]) => pipeline.sendUnder("key", ...contents),
    async sendUnder(partitionKey: string, ...contents: (object[] | Buffer)[]): Promise<StreamRecord[]> {
      const sent = await stream.putRecords(contents.map((content) => ({ partitionKey, data: encode(content) })));
      const numbers = sent.map((result) => ("sequenceNumber" in result ? result.sequenceNumber : ""));
      const { id } = stream.shards()[0]!;
      const records = await stream.read({ shard: id, limit: 1000, maxBytes: 2 ** 24 });
      return records.filter(({ sequenceNumber }) => numbers.includes(sequenceNumber));
    },
    /** Lands records as one bronze object, advances the checkpoint, and returns the object's key. */
    async land(records: StreamRecord[]): Promise<string> {
      const { key } = await landRecords({ store, stream: orderStream, clock }, records);
      pipeline.confirm(records);
      return key;
    },
    /** The stream's only segment file. */
    segment: join(dir, "stream", "shardId-000000000000", `${"0".repeat(16)}.log`),
    /** Reopens the stream, as a new process does. */
    async reopenStream() {
      await stream.close();
      stream = await openStream();
    },
    confirm(records: StreamRecord[]) {
      for (const { shard, sequenceNumber } of records) checkpoints[shard] = sequenceNumber;
    },
    refine: () => call("RefineSilver", { sweep: "full" }),
    refineSome: (options: RefineOptions) => refineSilver(refinery, options),
    publishQuarantine: () => call("PublishQuarantine"),
    async publishGold() {
      const plan = (await call("PlanWindows", { customers: "now" })) as {
        batches: object[];
        customersDue: boolean;
      };
      for (const batch of plan.batches) await call("PublishWindows", batch);
      if (plan.customersDue) await call("PublishCustomers", plan);
      await call("ReportWindows", plan);
    },
    /** The last step of data_quality, after the receipt. */
    evaluateRules: async (receipt?: FailedReceipt) =>
      (await call("CheckQuality", { receipt: receipt ?? (await pipeline.verify()) })) as QualitySummary,
    async work() {
      await pipeline.refine();
      await pipeline.publishQuarantine();
      await pipeline.publishGold();
    },
    /** The stores and engines that the read-only commands query. */
    parts: { store, silver, lake, warehouse: gold.reader },
    streamContents: () => streamContents(stream, checkpoints, onFailure),
    verify: (other: Partial<Pick<ReconciliationSources, "store" | "streamContents" | "warehouse">> = {}) =>
      verifyReceipt({
        ...refinery,
        ...openTables(),
        streamContents: pipeline.streamContents(),
        lake,
        warehouse: gold.reader,
        goldSql,
        checks,
        ...other,
      }),
    /** Forgets a customer; `over` wraps the lake's store, for example to simulate a crash. */
    async forget(
      customerId: string,
      over: (store: ObjectStore) => ObjectStore = (same) => same,
      redactStream: RedactStream = async (records) => ({ rewritten: await stream.replace(records), kept: 0 }),
    ) {
      const dying = over(store);
      const place = { ...refinery, ...openTables(dying), store: dying };
      const eraser = { erase: (key: string) => dying.delete(key) };
      const summary = await forgetCustomer({ refinery: place, eraser, redactStream }, customerId);
      await pipeline.publishGold();
      return summary;
    },
    async streamRecords() {
      return await stream.read({ shard: stream.shards()[0]!.id, limit: 1000, maxBytes: 2 ** 24 });
    },
    traces: (orderId: string) =>
      traceOrder({ ...refinery, lake, warehouse: gold.reader, sql: loadTraceSql() }, orderId),
    /** The trace of an id that one order has. */
    async trace(orderId: string) {
      const traces = await pipeline.traces(orderId);
      if (traces.length !== 1) throw new Error(`${traces.length} orders have the id ${orderId}`);
      return traces[0]!;
    },
    rebuild: (request: Partial<RebuildRequest> = {}, other: Partial<RebuildContext> = {}) =>
      rebuild(
        { refinery, lake, warehouse: gold.writer, sql: goldSql, ...other },
        { from: "2015-01-01", to: "2015-12-31", source: "bronze", isDryRun: false, ...request },
      ),
    async close() {
      await stream.close();
      await lake.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return pipeline;
}

export type ReceiptPipeline = Awaited<ReturnType<typeof openReceiptPipeline>>;

function encode(content: object[] | Buffer): Buffer {
  if (Buffer.isBuffer(content)) return content;
  const lines = content.map((event) => (Buffer.isBuffer(event) ? event : Buffer.from(JSON.stringify(event))));
  return zstdCompressSync(Buffer.concat(lines.flatMap((line, n) => (n === 0 ? [line] : [Buffer.from("\n"), line]))));
}
