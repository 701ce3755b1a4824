import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterEach, expect, test } from "vitest";
import { newAthenaClient, openAthenaLake } from "../../adapters/athena.ts";
import { newDataApiClient } from "../../adapters/data-api.ts";
import { kinesisContents } from "../../adapters/kinesis-contents.ts";
import { newKinesisClient, openKinesisSink } from "../../adapters/kinesis.ts";
import { newS3Client, openS3Store } from "../../adapters/s3.ts";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import { goldHash } from "../../pipeline/backup/manifest.ts";
import { publishCustomerDays, publishDays } from "../../pipeline/gold/publish-windows.ts";
import { compactTable } from "../../pipeline/delta/compact.ts";
import type { StreamRecord } from "../../pipeline/ports.ts";
import { createSender } from "../../producer/send-orders.ts";
import { publishQuarantine } from "../../pipeline/silver/quarantine-table.ts";
import { refineSilver } from "../../pipeline/silver/refine-silver.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { unpackRecord } from "../../pipeline/silver/unpack-record.ts";
import { openGoldPipeline } from "../pipeline/gold/gold-fixture.ts";
import { writeSilver, type FixtureOrder } from "../pipeline/gold/silver-fixture.ts";
import { order } from "../support/order-fixture.ts";
import { openSilverPipeline, record } from "../pipeline/silver/refine-fixture.ts";
import { startAthenaServer } from "../support/athena-server.ts";
import { testAccess } from "../support/aws-access.ts";
import { duckDbEngine } from "../support/duckdb-engine.ts";
import { networkFaults, startFaultyProxy, type FaultyProxy, type FaultyProxyOptions } from "../support/faulty-proxy.ts";
import { s3Error } from "../support/s3-faults.ts";
import { startS3Server } from "../support/s3-server.ts";
import { openDataApi } from "../adapters/data-api-fixture.ts";
import { openKinesisPipeline } from "../adapters/kinesis-fixture.ts";

/** Resources that are closed after each test, in reverse order. */
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function faultyProxy(options: FaultyProxyOptions): Promise<FaultyProxy> {
  const proxy = await startFaultyProxy(options);
  closers.push(() => proxy.close());
  return proxy;
}

/** A client that times out before a late response arrives. */
const impatient = (proxy: FaultyProxy, socketTimeout: number) => ({
  ...testAccess,
  endpoint: proxy.url,
  requestHandler: new NodeHttpHandler({ connectionTimeout: 2000, socketTimeout }),
});

/** Retries a failed step, as a workflow does. On a busy machine nearly every request may exceed its time limit. */
async function again<Result>(step: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await step();
    } catch (error) {
      if (attempt === 200) throw error;
    }
  }
}

async function everyFaultMet(proxy: FaultyProxy): Promise<void> {
  await proxy.idle();
  for (const fault of networkFaults) expect([fault, proxy.met[fault]]).not.toEqual([fault, 0]);
}

const json = (status: number, type: string, headers = {}) => ({
  status,
  headers: { "content-type": "application/x-amz-json-1.1", ...headers },
  body: JSON.stringify({ __type: type, message: `${type} of the test` }),
});

test("S3: overlapping landings, two concurrent refiners and a compaction leave every order once", async () => {
  const pipeline = await openSilverPipeline();
  closers.push(() => pipeline.close());
  const server = await startS3Server({ root: dirname(pipeline.root) });
  closers.push(() => server.close());
  const rejections = [s3Error(503, "SlowDown"), s3Error(500, "InternalError"), s3Error(400, "RequestTimeout")];
  const proxy = await faultyProxy({ target: server.url, rejections, lateMs: 700 });
  const open = () => {
    const client = newS3Client(impatient(proxy, 400));
    closers.push(() => client.destroy());
    return openS3Store({ bucket: basename(pipeline.root), client });
  };

  const events = Array.from({ length: 36 }, (_, n) =>
    order({
      order_id: `order-${n % 24}`,
      revision: n < 24 ? 0 : 1,
      status: n < 24 ? "placed" : "amended",
      producer: { producer_id: "till", seq: n + 1 },
    }),
  );
  const records = Array.from({ length: 12 }, (_, n) => record(n, events.slice(n * 3, n * 3 + 3)));
  const land = async (size: number) => {
    const store = open();
    for (let at = 0; at < records.length; at += size) {
      const batch: StreamRecord[] = records.slice(at, at + size);
      await again(() => landRecords({ store, stream: orderStream, clock: () => pipeline.now }, batch));
    }
  };
  const refine = async () => {
    const refinery = pipeline.openRefinery(open());
    for (let round = 0; round < 4; round++) {
      await again(() => refineSilver(refinery, { maxEvents: 9 }));
      await again(() => publishQuarantine(refinery));
      await again(() => compactTable({ table: refinery.silver, store: refinery.store, minFiles: 2 }));
    }
  };
  await Promise.all([land(3), land(4), refine(), refine()]);
  await everyFaultMet(proxy);

  proxy.calm();
  while ((await pipeline.refine()).remaining > 0);
  expect(await pipeline.rows("order_id, line_no, revision")).toEqual(
    Array.from({ length: 24 }, (_, n) => ({ order_id: `order-${n}`, line_no: 1, revision: n < 12 ? 1 : 0 })).toSorted(
      (a, b) => (a.order_id < b.order_id ? -1 : 1),
    ),
  );
});

test("the Data API: days that are republished many times have the same gold as without faults", async () => {
  const pipeline = await openGoldPipeline();
  closers.push(() => pipeline.close());
  const api = await openDataApi(pipeline.postgres);
  closers.push(() => api.close());
  const rejections = [
    json(429, "ThrottlingException", { "x-amzn-errortype": "ThrottlingException" }),
    json(503, "ServiceUnavailableError", { "x-amzn-errortype": "ServiceUnavailableError" }),
    json(500, "InternalServerErrorException", { "x-amzn-errortype": "InternalServerErrorException" }),
    json(400, "DatabaseResumingException", { "x-amzn-errortype": "DatabaseResumingException" }),
  ];
  const proxy = await faultyProxy({ target: api.server.url, rejections, lateMs: 2500 });
  const client = newDataApiClient(impatient(proxy, 1500));
  closers.push(() => client.destroy());
  const flaky = { ...pipeline.gold, warehouse: api.connect("writer", { client }) };

  const days = ["2015-03-30", "2015-03-31", "2015-04-01"];
  const tables = await Promise.all(
    [1, 2, 3].map((version) => writeSilver(pipeline.dir, version, ordersOf(version, days))),
  );
  const publish = async (gold: Gold, version: number, windows: string[]) => {
    const at = { table: tables[version - 1]!(windows), windows, silverVersion: version };
    await again(() => publishDays(gold, at));
    await again(() => publishCustomerDays(gold, at));
  };
  await publish(pipeline.gold, 3, days);
  const calm = await goldHash(pipeline.reader);

  await pipeline.empty();
  await Promise.all(
    [1, 2, 3].map(async (version) => {
      for (const day of days) await publish(flaky, version, [day]);
    }),
  );
  await everyFaultMet(proxy);
  // The last publish scores the segments; a manual run repeats it.
  await publish(pipeline.gold, 3, days);
  expect(await goldHash(pipeline.reader)).toEqual(calm);
});

type Gold = Parameters<typeof publishDays>[0] & Parameters<typeof publishCustomerDays>[0];

/** Every version has different sales. */
function ordersOf(version: number, days: readonly string[]): FixtureOrder[] {
  return days.flatMap((date) =>
    Array.from({ length: 3 }, (_, n) => ({
      id: `${date}-${n}`,
      at: `${date}T1${n}:00:00`,
      customer: `c${(version + n) % 4}`,
      lines: [[(version + n) % 2 === 0 ? "hawaiian_m" : "bbq_ckn_s", version] as const],
    })),
  );
}

test("Athena: every query runs once and returns all of its rows", async () => {
  const root = mkdtempSync(join(tmpdir(), "pizza-athena-"));
  closers.push(() => rmSync(root, { recursive: true }));
  const days = ["2015-03-01", "2015-03-02", "2015-03-03"];
  const silver = await writeSilver(root, 1, ordersOf(1, days));
  const bucket = "pizza-lake";
  const server = await startAthenaServer({ engine: duckDbEngine({ root, bucket }) });
  closers.push(() => server.close());
  const rejections = [
    json(400, "TooManyRequestsException"),
    json(400, "ThrottlingException"),
    json(500, "InternalServerException"),
  ];
  const proxy = await faultyProxy({ target: server.url, rejections, lateMs: 2500 });
  const client = newAthenaClient(impatient(proxy, 1500));
  closers.push(() => client.destroy());
  const store = openFolderStore(root);
  const athena = openAthenaLake({ workgroup: "pipeline", database: "pizza", bucket, store, client });
  const asked = Array.from({ length: 12 }, (_, n) => days.slice(0, 1 + (n % 3)));
  const ask = async (from: number) => {
    for (const some of asked.slice(from, from + 4)) {
      const rows = await athena.query("select count(*) as lines from silver_order_lines", [], [silver(some)]);
      expect(rows).toEqual([{ lines: BigInt(some.length * 3) }]);
    }
  };
  await Promise.all([ask(0), ask(4), ask(8)]);
  await everyFaultMet(proxy);
  expect(server.queries).toHaveLength(asked.length);
});

test("Kinesis: all of a till's events are stored in order, except for repetitions, and all are read back", async () => {
  const pipeline = await openKinesisPipeline({ shards: 2 });
  closers.push(() => pipeline.close());
  const rejections = [
    json(400, "ProvisionedThroughputExceededException"),
    json(400, "LimitExceededException"),
    json(500, "InternalFailure"),
  ];
  const proxy = await faultyProxy({ target: pipeline.server.url, rejections, lateMs: 700 });
  const client = newKinesisClient(impatient(proxy, 400));
  closers.push(() => client.destroy());
  const tills = ["till-1", "till-2", "till-3", "till-4"];
  const sender = createSender({
    sink: openKinesisSink({ streamName: "orders", client }),
    batchEvents: 3,
    lingerMs: 1,
    maxAttempts: 50,
  });
  const sent = Array.from({ length: 120 }, (_, n) => ({ till: tills[n % 4]!, text: `event ${n}` }));
  for (const { till, text } of sent) await sender.send({ producerId: till, bytes: Buffer.from(`${till} ${text}`) });
  await sender.close();

  const stored: string[] = [];
  const onFailure = openFolderStore(join(pipeline.root, "on-failure"));
  const account = kinesisContents({ streamName: "orders", stream: "orders", store: onFailure, onFailure, client });
  for await (const { data } of account.records())
    stored.push(...unpackRecord(data).map(({ bytes }) => bytes.toString()));
  await everyFaultMet(proxy);
  for (const till of tills) {
    const mine = [...new Set(stored.filter((line) => line.startsWith(`${till} `)))];
    expect(mine).toEqual(sent.filter((event) => event.till === till).map(({ text }) => `${till} ${text}`));
  }
});
