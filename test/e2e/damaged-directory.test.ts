import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { classicYear } from "../../bin/commands/send.ts";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { openPostgresWarehouse } from "../../adapters/postgres-warehouse.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import { openSilver, orderStream } from "../../pipeline/silver/tables.ts";
import { dataDirectory, type DataDirectory } from "../../targets/local/data-directory.ts";
import { openLocalPipeline } from "../../targets/local/open.ts";
import { startPostgres } from "../../targets/local/postgres.ts";
import { readFrame, writeFrame } from "../../targets/local/stream/segment.ts";
import { openStreamLog } from "../../targets/local/stream/stream-log.ts";
import { sendOrders, temporaryPipeline } from "./command-line-fixture.ts";
import { quickPizza } from "./command-line-in-process.ts";
import { prepareLocalPipeline } from "../support/prepared-postgres.ts";

const { dir, remove } = temporaryPipeline();
const folder: DataDirectory = dataDirectory(dir);
const kept = `${dir}-kept`;
afterAll(remove);
beforeAll(async () => {
  await prepareLocalPipeline(dir);
  const pipeline = await openLocalPipeline({ dir });
  for (const part of [0, 1, 2]) {
    await sendOrders(pipeline.sink, [...classicYear()].slice(part * 100, part * 100 + 100));
    await pipeline.drain();
  }
  await pipeline.close();
  cpSync(dir, kept, { recursive: true });
});

/** Restores the data directory to its state before the previous test's damage. */
function restore(...parts: (keyof DataDirectory)[]): void {
  for (const part of parts) {
    rmSync(folder[part], { recursive: true });
    cpSync(folder[part].replace(dir, kept), folder[part], { recursive: true });
  }
}

const verify = () => quickPizza(dir, "verify");

it("the receipt balances before anything is damaged", async () => {
  expect(await verify()).toMatchObject({ code: 0, stdout: expect.stringContaining("BALANCED") });
});

it("the receipt finds a deleted bronze object", async () => {
  const store = openFolderStore(folder.lake);
  await store.delete((await store.list("bronze/"))[0]!.key);
  const { code, stdout } = await verify();
  expect(code).toBe(3);
  expect(stdout).toMatch(
    /records were sent and confirmed, but are neither in bronze nor on-failure\n\s+shardId-0+\d\/\d+/,
  );
  restore("lake");
});

it("the receipt finds a silver file that was added twice", async () => {
  const store = openFolderStore(folder.lake);
  const silver = openSilver({ store, clock: Date.now });
  const { version, files } = await silver.snapshot();
  const [file] = files.values();
  const path = file!.path.replace(/[^/]+$/, "copy.parquet");
  await store.put(`${silver.root}/${path}`, (await store.get(`${silver.root}/${file!.path}`))!);
  const request = { operation: "WRITE", removes: [], transactions: [], operationMetrics: {} };
  await silver.commit({ ...request, readVersion: version, adds: [{ ...file!, path }] });
  const { code, stdout } = await verify();
  expect(code).toBe(3);
  expect(stdout).toMatch(/orders appear in silver from two events or in two files\n\s+2015-\d+/);
  restore("lake");
});

it("the receipt of a running pipeline finds that silver's newest commit is missing", async () => {
  const pipeline = await openLocalPipeline({ dir });
  expect((await pipeline.status()).silver?.lines).toBeGreaterThan(0);
  const log = join(folder.lake, "silver", "order_lines", "_delta_log");
  const newest = readdirSync(log).toSorted().at(-1)!;
  rmSync(join(log, newest));
  const { findings } = await pipeline.verify();
  await pipeline.close();
  expect(findings.map(({ sentence }) => sentence)).toContainEqual(
    expect.stringMatching(/^\d+ days show a later version of silver than \d+$/),
  );
  restore("lake");
});

it("the receipt finds a changed gold cell", async () => {
  const change = async (sql: string) => {
    const postgres = await startPostgres({ dir: folder.postgres });
    const owner = openPostgresWarehouse({ connectionString: postgres.connectionString("owner") });
    await owner.query(sql);
    await owner.close();
    await postgres.stop();
  };
  await change("update gold.hourly_trends set revenue = revenue + 0.01 where order_date = '2015-01-01' and hour = 12");
  const { code, stdout } = await verify();
  expect(code).toBe(3);
  expect(stdout).toMatch(/1 rows of gold.hourly_trends differ from the daily facts\n\s+2015-01-01, 12: revenue is/);
  await change("update gold.hourly_trends set revenue = revenue - 0.01 where order_date = '2015-01-01' and hour = 12");
});

it("the receipt finds a record cut out of the stream despite consistent numbers and checksums, and changes nothing", async () => {
  const path = longestSegment();
  const frames = framesOf(readFileSync(path)).filter((_, index) => index !== 1);
  const fitted = Buffer.alloc(statSync(path).size);
  let end = 0;
  for (const [ordinal, frame] of frames.entries()) end = writeFrame(fitted, end, { ...frame, ordinal });
  writeFileSync(path, fitted.subarray(0, end));
  const before = filesBelow(folder.lake, folder.checkpoints);
  for (const turn of ["first", "second"]) {
    const { code, stdout } = await verify();
    expect([turn, code]).toEqual([turn, 3]);
    expect(stdout).toContain("records in bronze were never in the stream");
    expect(filesBelow(folder.lake, folder.checkpoints)).toEqual(before);
  }
  restore("stream");
});

it("the receipt of a stopped pipeline reports records that have not landed, and does not land them", async () => {
  const stream = await openStreamLog({ dir: folder.stream, shards: 2 });
  await sendOrders(stream, [...classicYear()].slice(300, 310));
  await stream.close();
  const { code, stdout } = await verify();
  expect([code, stdout]).toEqual([0, expect.stringMatching(/not yet landed +[12]\n[^]*BALANCED/)]);
  expect((await quickPizza(dir, "status", "--json")).stdout).toMatch(/"shardsBehind": [12]/);
  expect((await verify()).stdout).toEqual(stdout);
  restore("stream");
});

it("the receipt finds a record dropped from the end or the middle of the stream log", async () => {
  const path = longestSegment();
  const bytes = readFileSync(path);
  const starts = startsOf(bytes);
  writeFileSync(path, Buffer.concat([bytes.subarray(0, starts[1]), bytes.subarray(starts[2])]));
  const cut = await quickPizza(dir, "verify", "--json");
  expect(cut.code).toBe(3);
  expect(JSON.parse(cut.stdout)).toEqual({
    error: { exitCode: 3, message: expect.stringContaining(`Stream segment ${path}: damaged at byte ${starts[1]}`) },
  });

  writeFileSync(path, bytes.subarray(0, starts.at(-1)));
  const { code, stdout } = await verify();
  expect(code).toBe(3);
  expect(stdout).toMatch(/records in bronze were never in the stream\n\s+shardId-0+\d\/\d+/);
});

function longestSegment(): string {
  const segments = readdirSync(folder.stream, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".log"))
    .map((name) => join(folder.stream, name));
  return segments.find((name) => startsOf(readFileSync(name)).length > 2)!;
}

/** Every file and its size. */
function filesBelow(...roots: string[]): string[] {
  return roots.flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: "utf8" })
      .map((name) => `${name} ${statSync(join(root, name)).size}`)
      .toSorted(),
  );
}

function startsOf(segment: Buffer): number[] {
  return framesOf(segment).map(({ start }) => start);
}

function framesOf(segment: Buffer) {
  const frames = [];
  for (let at = 0; at < segment.length;) {
    const frame = readFrame(segment, at);
    if (typeof frame === "string") throw new Error(`the segment is ${frame} at ${at}`);
    frames.push({ ...frame, start: at });
    at = frame.end;
  }
  return frames;
}

// The last one, because it leaves silver in later versions than the copy of the directory.
it("a bronze object that crashes every run is set aside, listed, and read once it is repaired", async () => {
  const store = openFolderStore(folder.lake);
  const garbage = { shard: "shardId-000000000009", sequenceNumber: "1", partitionKey: "till", arrivedAt: Date.now() };
  const landed = [{ ...garbage, data: Buffer.from("garbage") }];
  const { key } = await landRecords({ store, stream: orderStream, clock: Date.now }, landed);
  const whole = (await store.get(key))!;
  await store.put(key, whole.subarray(0, 100));
  expect(await quickPizza(dir, "run", "bronze_to_silver")).toMatchObject({ code: 0 });

  expect((await quickPizza(dir, "status")).stdout).toMatch(`SET ASIDE   1 records since `);
  expect(JSON.parse((await quickPizza(dir, "retry", "--json")).stdout)).toMatchObject([{ key, records: 1 }]);
  expect(await quickPizza(dir, "retry")).toMatchObject({ code: 0, stdout: expect.stringContaining(key) });
  expect(await verify()).toMatchObject({ code: 3, stdout: expect.stringContaining("see ./pizza retry") });
  const again = expect.stringContaining("1 objects were set aside again");
  expect(await quickPizza(dir, "retry", "--all")).toMatchObject({ code: 1, stderr: again });
  expect(await quickPizza(dir, "retry", "--all", key)).toMatchObject({ code: 2 });

  await store.put(key, whole);
  expect(await quickPizza(dir, "retry", key)).toMatchObject({ code: 0, stdout: `in silver: ${key}\n` });
  expect(await quickPizza(dir, "retry")).toMatchObject({ code: 0, stdout: "no bronze object is set aside\n" });
  expect(await quickPizza(dir, "retry", key)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("is not a bronze"),
  });
  expect(JSON.parse((await quickPizza(dir, "quarantine", "list", "--json")).stdout)).toMatchObject([
    { reason: "not_json" },
  ]);
});
