import { spawn } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStreamLog, type StreamLog } from "../../../../targets/local/stream/stream-log.ts";

const shard = "shardId-000000000000";
const everything = { limit: 100_000, maxBytes: 2 ** 30 };
const child = join(import.meta.dirname, "append-forever.ts");

/** Runs the appending process until that many puts are acknowledged, kills it, and returns those puts. */
async function appendAndKill(dir: string, round: number, answers: number): Promise<string[]> {
  const running = spawn(process.execPath, [child, dir, String(round)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = Promise.withResolvers<unknown>();
  running.on("exit", ended.resolve);
  const lines: string[] = [];
  for await (const line of createInterface({ input: running.stdout })) {
    if (line !== "open") lines.push(line);
    if (lines.length >= answers) running.kill("SIGKILL");
  }
  await ended.promise;
  return lines;
}

async function namesIn(stream: StreamLog): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { id } of stream.shards()) {
    for (const record of await stream.read({ shard: id, ...everything })) {
      expect(Buffer.from(record.data).toString().startsWith(`${record.partitionKey} `)).toBe(true);
      found.set(record.partitionKey, `${record.shard} ${record.sequenceNumber}`);
    }
  }
  return found;
}

describe("the stream log after a crash", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "stream-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  async function segmentWith(texts: string[]): Promise<string> {
    const stream = await openStreamLog({ dir, shards: 1 });
    for (const text of texts) await stream.putRecords([{ partitionKey: "key", data: Buffer.from(text) }]);
    await stream.close();
    return join(dir, shard, `${"0".repeat(16)}.log`);
  }

  async function textsOf(stream: StreamLog): Promise<string[]> {
    const records = await stream.read({ shard, ...everything });
    return records.map(({ data }) => Buffer.from(data).toString());
  }

  it("holds every acknowledged put under its acknowledged sequence number after repeated kills", async () => {
    const answered: string[] = [];
    for (const [round, answers] of [40, 300, 1, 120].entries()) {
      answered.push(...(await appendAndKill(dir, round, answers)));
      const stream = await openStreamLog({ dir, shards: 2, segmentBytes: 64 * 1024 });
      const found = await namesIn(stream);
      await stream.close();
      for (const line of answered) {
        const [name = "", ...position] = line.split(" ");
        expect(found.get(name)).toBe(position.join(" "));
      }
    }
    expect(answered.length).toBeGreaterThan(400);
    expect(readdirSync(join(dir, shard)).length).toBeGreaterThan(1);
  });

  it("truncates an incomplete record wherever the write stopped, reports it, and continues from there", async () => {
    const path = await segmentWith(["one", "two"]);
    const whole = readFileSync(path);
    const first = whole.length / 2;
    for (let length = first + 1; length < whole.length; length += 1) {
      writeFileSync(path, whole.subarray(0, length));
      const notices: string[] = [];
      const stream = await openStreamLog({ dir, shards: 1, onNotice: (notice) => notices.push(notice) });
      expect(notices).toEqual([
        `Stream segment ${path}: truncated ${length - first} incomplete bytes at byte ${first}`,
      ]);
      await stream.putRecords([{ partitionKey: "key", data: Buffer.from("three") }]);
      expect(await textsOf(stream)).toEqual(["one", "three"]);
      await stream.close();
    }
  });

  it("truncates trailing zeros or garbage, as after a power failure", async () => {
    for (const tail of [Buffer.alloc(100), Buffer.alloc(5000, 0xf5), Buffer.from("garbage")]) {
      appendFileSync(await segmentWith(["one"]), tail);
      const stream = await openStreamLog({ dir, shards: 1 });
      expect(new Set(await textsOf(stream))).toEqual(new Set(["one"]));
      await stream.close();
    }
  });

  it("rejects a segment that is damaged before its end, with file and offset, instead of truncating acknowledged records", async () => {
    const path = await segmentWith(["one", "two", "three"]);
    const whole = readFileSync(path);
    const second = whole.indexOf("one") + "one".length;
    for (const at of [second, second + 4, second + 9, second + 20, whole.indexOf("two")]) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0x80, at);
      writeFileSync(path, bytes);
      await expect(openStreamLog({ dir, shards: 1 })).rejects.toThrow(
        `Stream segment ${path}: damaged at byte ${second}`,
      );
    }
  });

  it("rejects a segment from which any record but the last was removed", async () => {
    const path = await segmentWith(["one", "two", "six"]);
    const whole = readFileSync(path);
    const size = whole.length / 3;
    for (const cut of [0, 1]) {
      writeFileSync(path, Buffer.concat([whole.subarray(0, cut * size), whole.subarray((cut + 1) * size)]));
      await expect(openStreamLog({ dir, shards: 1 })).rejects.toThrow(
        `Stream segment ${path}: damaged at byte ${cut * size}`,
      );
    }
  });

  it("fails to read past damage in an older segment, and past a missing segment", async () => {
    const options = { dir, shards: 1, segmentBytes: 1000 };
    const writing = await openStreamLog(options);
    for (let number = 0; number < 6; number += 1) {
      await writing.putRecords([{ partitionKey: "key", data: Buffer.alloc(900, number) }]);
    }
    await writing.close();
    const [, second = "", third = ""] = readdirSync(join(dir, shard)).toSorted();
    cpSync(join(dir, shard), join(dir, "copy"), { recursive: true });

    truncateSync(join(dir, shard, second), 500);
    const damaged = await openStreamLog(options);
    await expect(damaged.read({ shard, ...everything })).rejects.toThrow(`${second}: damaged at byte 0`);
    await damaged.close();

    cpSync(join(dir, "copy"), join(dir, shard), { recursive: true });
    rmSync(join(dir, shard, third));
    const gone = await openStreamLog(options);
    await expect(gone.read({ shard, ...everything })).rejects.toThrow("record 2 is missing");
    await gone.close();
  });

  it("cannot be opened by a second process, with the first one's id in the error, until the first exits", async () => {
    const running = spawn(process.execPath, [child, dir], { stdio: ["ignore", "pipe", "inherit"] });
    for await (const _ of createInterface({ input: running.stdout })) break;
    await expect(openStreamLog({ dir, shards: 2 })).rejects.toThrow(`is already open in process ${running.pid}`);
    const ended = Promise.withResolvers<unknown>();
    running.on("exit", ended.resolve);
    running.kill("SIGKILL");
    await ended.promise;
    const stream = await openStreamLog({ dir, shards: 2 });
    await expect(openStreamLog({ dir, shards: 2 })).rejects.toThrow(`is already open in process ${process.pid}`);
    await stream.close();
    await (await openStreamLog({ dir, shards: 2 })).close();
  });

  it("takes over the lock of an earlier process whose process id was reused", async () => {
    for (const text of [JSON.stringify({ pid: process.pid, started: "1" }), ""]) {
      writeFileSync(join(dir, "lock"), text);
      const stream = await openStreamLog({ dir, shards: 1 });
      expect(await stream.openShards()).toBe(1);
      await stream.close();
      expect(readdirSync(dir)).not.toContain("lock");
    }
  });
});
