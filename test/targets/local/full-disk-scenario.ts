/** A process on a small disk: fills it, tries to work, frees space, and prints what it observed as JSON. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { zstdCompressSync } from "node:zlib";
import { classicYear } from "../../../bin/commands/send.ts";
import { openFolderStore } from "../../../adapters/folder-store.ts";
import { loadCatalog } from "../../../adapters/project-files.ts";
import { landRecords } from "../../../pipeline/bronze/land-records.ts";
import type { OutgoingRecord } from "../../../pipeline/ports.ts";
import { createCustomerKey } from "../../../pipeline/silver/write-orders.ts";
import { refineSilver } from "../../../pipeline/silver/refine-silver.ts";
import { openQuarantine, openSilver, orderStream } from "../../../pipeline/silver/tables.ts";
import { openLocalPipeline } from "../../../targets/local/open.ts";
import { openStreamLog } from "../../../targets/local/stream/stream-log.ts";
import { createBallast } from "./small-disk.ts";

const [disk = "", scenario = ""] = process.argv.slice(2);
const ballast = createBallast(disk);
const orders = [...classicYear()];
/** Orders per batch. */
const batch = 60;
const mostPages = 100;
const scenarios: Record<string, () => Promise<unknown>> = { stream, landing, silver, pipeline, readOnlyLake };
process.stdout.write(JSON.stringify(await scenarios[scenario]!()));

/** Puts large records into a stream whose disk has space for only a part of one. */
async function stream() {
  const dir = join(disk, "stream");
  const [kept, rejections]: string[][] = [[], []];
  let log = await openStreamLog({ dir, shards: 1 });
  for (const [number, pages] of [undefined, 0, 3, 7, undefined].entries()) {
    if (pages !== undefined) ballast.fill(pages);
    const data = Buffer.concat([Buffer.from(`${number} `), Buffer.alloc(60_000, number)]);
    const [result] = await log.putRecords([{ partitionKey: "k", data }]);
    if (result !== undefined && "errorCode" in result) rejections!.push(result.errorMessage);
    else kept!.push(String(number));
    if (pages !== undefined) ballast.remove();
  }
  await log.close();
  log = await openStreamLog({ dir, shards: 1 });
  const records = await log.read({ shard: log.shards()[0]!.id, limit: 100, maxBytes: 2 ** 24 });
  await log.close();
  return { kept, rejections, found: records.map(({ data }) => Buffer.from(data).toString("latin1").split(" ")[0]) };
}

/** Lands one batch with increasing free space, until it fits. */
async function landing() {
  const store = openFolderStore(join(disk, "lake"));
  const record = { ...stored(0), data: randomBytes(40_000) };
  const land = () => landRecords({ store, stream: orderStream }, [record]);
  const rejections = await untilItFits(land);
  return { rejections, objects: (await store.list("")).length };
}

/** Runs one refine run with increasing free space, until it fits. */
async function silver() {
  const store = openFolderStore(join(disk, "lake"));
  const open = () => {
    const place = { store, clock: Date.now };
    const tables = { silver: openSilver(place), quarantine: openQuarantine(place) };
    const customerKey = createCustomerKey("secret");
    return { store, stream: orderStream, ...tables, catalog: loadCatalog(), customerKey, clock: Date.now };
  };
  await landRecords({ store, stream: orderStream }, [stored(1)]);
  const versions: number[] = [];
  const refinery = open();
  const rejections = await untilItFits(async () => {
    versions.push((await open().silver.snapshot()).version);
    await refineSilver(refinery);
  });
  const again = await refineSilver(refinery);
  const { version, files } = await open().silver.snapshot();
  const lines = files.values().reduce((sum, { rows }) => sum + rows, 0);
  const sentLines = orders.slice(0, batch).reduce((sum, order) => sum + order.lines.length, 0);
  return { rejections, versions: [...new Set(versions)], version, lines, sentLines, again: again.bronzeObjects };
}

/** A local pipeline with its stream and lake on the small disk, and its PostgreSQL on a disk with space. */
async function pipeline() {
  const dir = `${disk}-home`;
  mkdirSync(dir);
  for (const name of ["stream", "lake", "on-failure", "checkpoints"]) {
    mkdirSync(join(disk, name));
    symlinkSync(join(disk, name), join(dir, name));
  }
  const lines: string[] = [];
  const open = await openLocalPipeline({ dir, onLog: (line) => lines.push(line) });
  try {
    await open.sink.putRecords([outgoing(0)]);
    await open.drain();

    ballast.fill();
    const [rejected] = await open.sink.putRecords([outgoing(1)]);
    ballast.fill(8);
    const [taken] = await open.sink.putRecords([outgoing(2)]);
    ballast.fill();
    while (!lines.some((line) => line.startsWith("landing "))) await sleep(20);
    const { silver: whileFull } = await open.status();
    ballast.remove();

    await open.drain();
    const [sentAgain] = await open.sink.putRecords([outgoing(1)]);
    await open.drain();
    const { findings, records, events, gold } = await open.verify();
    return { rejected, taken, sentAgain, lines, whileFull, findings, records, events, gold };
  } finally {
    await open.close();
  }
}

/** A local pipeline whose lake becomes read-only for a while; its stream is on a separate disk and keeps working. */
async function readOnlyLake() {
  const dir = `${disk}-home`;
  mkdirSync(dir);
  symlinkSync(disk, join(dir, "lake"));
  const lines: string[] = [];
  const open = await openLocalPipeline({ dir, onLog: (line) => lines.push(line) });
  try {
    await open.sink.putRecords([outgoing(0)]);
    await open.drain();

    await remount("ro");
    const [taken] = await open.sink.putRecords([outgoing(1)]);
    while (!lines.some((line) => line.startsWith("landing "))) await sleep(20);
    const { silver: whileReadOnly } = await open.status();
    const whileOut = await open.verify();
    await remount("rw");

    await open.drain();
    const { findings, events, gold } = await open.verify();
    return { taken, lines, whileReadOnly, waiting: whileOut.records.waiting, findings, events, gold };
  } finally {
    await open.close();
  }
}

/** A file that is open for writing prevents a read-only remount, so this retries until the pipeline has closed it. */
async function remount(mode: "ro" | "rw"): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { status, stderr } = spawnSync("mount", ["-o", `remount,${mode}`, disk], { encoding: "utf8" });
    if (status === 0) return;
    if (attempt === 250) throw new Error(`mount: ${stderr}`);
    await sleep(20);
  }
}

/** Tries with space for no page, one page, two pages and so on; returns the messages of the attempts that failed. */
async function untilItFits(work: () => Promise<unknown>): Promise<string[]> {
  const rejections: string[] = [];
  for (let pages = 0; ; pages += 1) {
    ballast.fill(pages);
    try {
      await work();
      ballast.remove();
      return rejections;
    } catch (error) {
      if (pages > mostPages) throw error;
      rejections.push((error as Error).message);
    }
  }
}

function outgoing(number: number): OutgoingRecord {
  const events = orders.slice(number * batch, (number + 1) * batch);
  return { partitionKey: `${number}`, data: zstdCompressSync(events.map((event) => JSON.stringify(event)).join("\n")) };
}

function stored(number: number) {
  const place = { shard: "shardId-000000000000", sequenceNumber: String(10n ** 20n + BigInt(number)) };
  return { ...place, partitionKey: "k", arrivedAt: Date.now(), data: outgoing(0).data };
}
