import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { classicYear } from "../../bin/commands/send.ts";
import { openDuckDbLake } from "../../adapters/duckdb.ts";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { loadCatalog, loadChecks, loadGoldSql, readStores } from "../../adapters/project-files.ts";
import { goldHash } from "../../pipeline/backup/manifest.ts";
import { withFaults } from "../../producer/faults.ts";
import { createRandom } from "../../producer/random.ts";
import type { StoreProfile } from "../../producer/tills.ts";
import { verifyReceipt } from "../../pipeline/reconciliation/verify-receipt.ts";
import { createCustomerKey } from "../../pipeline/silver/write-orders.ts";
import { openQuarantine, openSilver, orderStream } from "../../pipeline/silver/tables.ts";
import { streamContents } from "../../targets/local/stream-contents.ts";
import { openStreamLog, type StreamLog } from "../../targets/local/stream/stream-log.ts";
import { openGoldPipeline, type GoldPipeline } from "../pipeline/gold/gold-fixture.ts";
import { startS3Server, type S3Server } from "../support/s3-server.ts";
import type { RaceOrder, RaceResult } from "./racer.ts";

const root = mkdtempSync(join(tmpdir(), "pizza-races-"));
const recordsFile = join(root, "records.json");
const customerSecret = "the racers' secret";
const script = new URL("racer.ts", import.meta.url).pathname;
let gold: GoldPipeline;
let stream: StreamLog;
let s3: S3Server;
let calm: Awaited<ReturnType<typeof goldHash>>;

beforeAll(async () => {
  gold = await openGoldPipeline();
  s3 = await startS3Server({ root });
  stream = await openStreamLog({ dir: join(root, "stream"), shards: 1 });
  await fillStream();
  await race("calm", { folder: join(root, "calm") }, [7]);
  calm = await goldHash(gold.reader);
});
afterAll(async () => {
  await stream.close();
  await s3.close();
  await gold.close();
  rmSync(root, { recursive: true });
});
beforeEach(() => gold.empty());

/**
 * Fills the stream, and a file for the racers, with six days of orders with revisions, duplicates and malformed events,
 * in small batches; they are shuffled, so that every run contains the same days.
 */
async function fillStream(): Promise<void> {
  const stores = readStores<StoreProfile>();
  const faults = { duplicates: 0.05, reorder: 0.05, amended: 0.05, cancelled: 0.05, malformed: 0.02 };
  const sent = [...withFaults([...classicYear()].slice(0, 360), { ...faults, seed: 5, stores })];
  const events = createRandom("races", 5).shuffle(sent);
  for (let at = 0; at < events.length; at += 8) {
    const lines = events.slice(at, at + 8).map(({ bytes }) => Buffer.from(bytes).toString("latin1"));
    await stream.putRecords([
      { partitionKey: "lane", data: zstdCompressSync(Buffer.from(lines.join("\n"), "latin1")) },
    ]);
  }
  const records = await stream.read({ shard: stream.shards()[0]!.id, limit: 10_000, maxBytes: 2 ** 28 });
  const asJson = records.map((record) => ({ ...record, data: Buffer.from(record.data).toString("base64") }));
  writeFileSync(recordsFile, JSON.stringify(asJson));
}

/** Runs one process for each batch size, concurrently. */
async function race(name: string, lake: RaceOrder["lake"], batches: readonly number[]): Promise<RaceResult[]> {
  const connectionString = gold.postgres.connectionString("writer");
  const runs = batches.map(async (batch, index) => {
    const cache = join(root, `${name}-cache-${index}`);
    mkdirSync(cache);
    return await runRacer({ lake, cache, connectionString, records: recordsFile, batch, customerSecret });
  });
  return await Promise.all(runs);
}

async function runRacer(order: RaceOrder): Promise<RaceResult> {
  const access = { AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  const child = spawn(process.execPath, [script, JSON.stringify(order)], {
    env: { ...process.env, ...access, AWS_ENDPOINT_URL_S3: s3.url },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`a racer ended with ${code}: its message stands above`);
  return JSON.parse(stdout) as RaceResult;
}

async function verify(folder: string) {
  const store = openFolderStore(folder);
  const place = { store, clock: Date.now };
  const lake = await openDuckDbLake({ root: folder, threads: 1 });
  const [{ id, lastSequenceNumber } = { id: "", lastSequenceNumber: "" }] = stream.shards();
  try {
    return await verifyReceipt({
      store,
      stream: orderStream,
      streamContents: streamContents(stream, { [id]: lastSequenceNumber! }, openFolderStore(join(root, "on-failure"))),
      silver: openSilver(place),
      quarantine: openQuarantine(place),
      lake,
      warehouse: gold.reader,
      catalog: loadCatalog(),
      customerKey: createCustomerKey(customerSecret),
      goldSql: loadGoldSql(),
      checks: loadChecks(),
    });
  } finally {
    await lake.close();
  }
}

const sum = (results: readonly RaceResult[], key: keyof RaceResult) =>
  results.reduce((total, result) => total + result[key], 0);

it.each([
  ["a folder", { folder: join(root, "folder") }, join(root, "folder")],
  ["S3", { bucket: "race" }, join(root, "race")],
] as const)(
  "concurrent processes that land, refine, compact and publish the same orders on %s leave each order once, to the cent",
  async (name, lake, folder) => {
    const results = await race(name.replace(" ", "-"), lake, [5, 7, 11]);
    // It was a race: no process did all the work.
    expect(results.filter(({ commits }) => commits > 0).length).toBeGreaterThan(1);
    expect(sum(results, "compactions")).toBeGreaterThan(0);
    const receipt = await verify(folder);
    expect(receipt.findings).toEqual([]);
    expect(receipt).toMatchObject({ unpublishedDays: [], events: { pending: 0 } });
    expect(receipt.records.transportDuplicates).toBeGreaterThan(0);
    expect(receipt.gold).toEqual(receipt.expected);
    expect(await goldHash(gold.reader)).toEqual(calm);
  },
);
