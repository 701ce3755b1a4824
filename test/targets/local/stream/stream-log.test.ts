import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OutgoingRecord, PutResult } from "../../../../pipeline/ports.ts";
import { openStreamLog, type StreamLog } from "../../../../targets/local/stream/stream-log.ts";

const everything = { limit: 100_000, maxBytes: 2 ** 30 };
const record = (partitionKey: string, text = partitionKey): OutgoingRecord => ({
  partitionKey,
  data: Buffer.from(text),
});
const numberOf = (result?: PutResult) => (result && "sequenceNumber" in result ? result.sequenceNumber : "rejected");

describe("the stream log", () => {
  let dir: string;
  let stream: StreamLog;
  let now = 0;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "stream-"));
    now = Date.parse("2015-01-01T12:00:00Z");
    stream = await open();
  });
  afterEach(async () => {
    await stream.close();
    rmSync(dir, { recursive: true });
  });

  const open = (options: { shards?: number; segmentBytes?: number } = {}) =>
    openStreamLog({ dir, shards: 3, clock: () => now, segmentBytes: 4096, ...options });

  async function keysOf(shard: string): Promise<string[]> {
    return (await stream.read({ shard, ...everything })).map(({ partitionKey }) => partitionKey);
  }

  it("chooses the shard by the MD5 of the partition key, or by the explicit hash key", async () => {
    const shards = stream.shards();
    expect(shards.map(({ id }) => id)).toEqual([
      "shardId-000000000000",
      "shardId-000000000001",
      "shardId-000000000002",
    ]);
    expect(shards.at(0)?.hashRange.start).toBe("0");
    expect(shards.at(-1)?.hashRange.end).toBe(String(2n ** 128n - 1n));
    const keys = Array.from({ length: 60 }, (_, number) => `order-${number}`);
    const results = await stream.putRecords(keys.map((key) => record(key)));
    for (const [index, key] of keys.entries()) {
      const hash = BigInt(`0x${createHash("md5").update(key).digest("hex")}`);
      const pipeline = shards.find(({ hashRange }) => BigInt(hashRange.start) <= hash && hash <= BigInt(hashRange.end));
      expect(results[index]).toMatchObject({ shard: pipeline?.id });
    }
    for (const { id, hashRange } of shards) {
      for (const explicitHashKey of [hashRange.start, hashRange.end]) {
        expect(await stream.putRecords([{ ...record("a"), explicitHashKey }])).toMatchObject([{ shard: id }]);
      }
    }
  });

  it("assigns 56-digit sequence numbers that increase within a shard, also across a restart", async () => {
    const put = async (key: string) =>
      numberOf((await stream.putRecords([{ ...record(key), explicitHashKey: "0" }]))[0]);
    const numbers = [await put("a"), await put("b")];
    await stream.close();
    stream = await open();
    numbers.push(await put("c"));
    expect(numbers.every((number) => /^\d{56}$/.test(number))).toBe(true);
    expect(numbers.toSorted()).toEqual(numbers);
    expect(new Set(numbers).size).toBe(3);
  });

  it("keeps concurrent puts in call order and contiguous, across many segments", async () => {
    const names = Array.from({ length: 200 }, (_, call) => [`${call}a`, `${call}b`]);
    const puts = names.map((pair) =>
      stream.putRecords(pair.map((name) => ({ ...record(name, name.repeat(50)), explicitHashKey: "0" }))),
    );
    const results = (await Promise.all(puts)).flat().map(numberOf);
    expect(results.toSorted()).toEqual(results);
    expect(await keysOf("shardId-000000000000")).toEqual(names.flat());
    await stream.close();
    stream = await open();
    expect(await keysOf("shardId-000000000000")).toEqual(names.flat());
  });

  it("reads after any record, within both limits, but at least one record", async () => {
    const data = Buffer.alloc(1000);
    for (let number = 0; number < 30; number += 1) {
      await stream.putRecords([{ partitionKey: String(number), explicitHashKey: "0", data }]);
    }
    const shard = "shardId-000000000000";
    const all = await stream.read({ shard, ...everything });
    for (const [index, { sequenceNumber }] of all.entries()) {
      const rest = await stream.read({ shard, after: sequenceNumber, limit: 4, maxBytes: 2 ** 20 });
      expect(rest.map(({ partitionKey }) => Number(partitionKey))).toEqual(
        [1, 2, 3, 4].map((step) => index + step).filter((number) => number < 30),
      );
    }
    expect(await stream.read({ shard, limit: 100, maxBytes: 3999 })).toHaveLength(3);
    expect(await stream.read({ shard, limit: 100, maxBytes: 1 })).toHaveLength(1);
    const other = numberOf(
      (await stream.putRecords([{ ...record("x"), explicitHashKey: String(2n ** 128n - 1n) }]))[0],
    );
    await expect(stream.read({ shard, after: other, ...everything })).rejects.toThrow("is not a sequence number of");
    await expect(stream.read({ shard: "shardId-9", ...everything })).rejects.toThrow("no shard shardId-9");
  });

  it("never decreases arrival times, even if the clock is set back or after a restart", async () => {
    for (const step of [0, 5000, -60_000]) {
      now += step;
      await stream.putRecords([{ ...record("a"), explicitHashKey: "0" }]);
    }
    await stream.close();
    now -= 60_000;
    stream = await open();
    await stream.putRecords([{ ...record("a"), explicitHashKey: "0" }]);
    const arrivals = (await stream.read({ shard: "shardId-000000000000", ...everything })).map(
      ({ arrivedAt }) => arrivedAt,
    );
    expect(arrivals).toEqual(arrivals.toSorted((a, b) => a - b));
    expect(arrivals).toHaveLength(4);
  });

  it("resolves a wait for a record when one arrives, when it times out, and when it is aborted", async () => {
    const shard = "shardId-000000000000";
    const waiting = stream.waitForRecord(shard, undefined, 60_000);
    const [result] = await stream.putRecords([{ ...record("a"), explicitHashKey: "0" }]);
    expect(await waiting).toBe(true);
    expect(await stream.waitForRecord(shard, undefined, 60_000)).toBe(true);
    expect(await stream.waitForRecord(shard, numberOf(result), 1)).toBe(false);
    const abort = new AbortController();
    const aborted = stream.waitForRecord(shard, numberOf(result), 60_000, abort.signal);
    abort.abort();
    expect(await aborted).toBe(false);
    const closing = stream.waitForRecord(shard, numberOf(result), 60_000);
    await stream.close();
    expect(await closing).toBe(false);
  });

  it("reshards: old shards are closed, new ones name their parents, and no record is lost meanwhile", async () => {
    const puts: Promise<PutResult[]>[] = [];
    for (let number = 0; number < 50; number += 1) puts.push(stream.putRecords([record(String(number))]));
    const waiting = stream.waitForRecord("shardId-000000000000", (await puts[0])?.map(numberOf)[9], 60_000);
    const changing = stream.reshard(2);
    for (let number = 50; number < 100; number += 1) puts.push(stream.putRecords([record(String(number))]));
    await Promise.all([changing, ...puts]);
    await stream.close();
    stream = await open();

    expect(await waiting).toBeTypeOf("boolean");
    expect(await stream.openShards()).toBe(2);
    expect(
      stream.shards().map(({ id, parents, closed }) => [id.at(-1), parents.map((parent) => parent.at(-1)), closed]),
    ).toEqual([
      ["0", [], true],
      ["1", [], true],
      ["2", [], true],
      ["3", ["0", "1"], false],
      ["4", ["1", "2"], false],
    ]);
    const keys = (await Promise.all(stream.shards().map(({ id }) => keysOf(id)))).flat();
    expect(keys.map(Number).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, number) => number));
    for (const { id, closed } of stream.shards().filter((shard) => shard.records > 0)) {
      expect((await keysOf(id)).every((key) => Number(key) < 50 === closed)).toBe(true);
    }
    expect(await stream.waitForRecord("shardId-000000000000", stream.shards()[0]?.lastSequenceNumber, 60_000)).toBe(
      false,
    );
  });

  it("closes a shard only after pending puts are in it, because a reader stops at a closed shard's last record", async () => {
    const data = Buffer.alloc(1024 * 1024);
    const call = Array.from({ length: 4 }, () => ({ partitionKey: "a", explicitHashKey: "0", data }));
    const puts = Array.from({ length: 8 }, () => stream.putRecords(call));
    const changing = stream.reshard(1);
    await expect.poll(() => stream.shards()[0]?.closed, { interval: 0 }).toBe(true);
    expect(stream.shards()[0]?.records).toBe(32);
    await Promise.all([...puts, changing]);
  });

  it("does not change when it is resharded to its current shard count", async () => {
    const before = stream.shards();
    await stream.reshard(3);
    expect(stream.shards()).toEqual(before);
    await expect(stream.reshard(0)).rejects.toThrow("0 shards: give");
    expect(await stream.putRecords([record("a")])).toMatchObject([{ sequenceNumber: expect.any(String) }]);
  });

  it("rejects a call that exceeds any limit as a whole, as Kinesis does", async () => {
    const rejected = async (records: OutgoingRecord[]) => await stream.putRecords(records).then(() => "taken", String);
    const mib = 1024 * 1024;
    expect(await rejected(Array.from({ length: 501 }, () => record("a")))).toContain("501 records: send at most 500");
    expect(await rejected([{ partitionKey: "a", data: Buffer.alloc(mib + 1) }])).toContain(
      "record 0 has 1048577 bytes",
    );
    expect(await rejected(Array.from({ length: 5 }, () => ({ partitionKey: "a", data: Buffer.alloc(mib) })))).toContain(
      "bytes: send at most",
    );
    expect(await rejected([record("", "text")])).toContain("a partition key of 0 characters");
    expect(await rejected([{ ...record("a"), explicitHashKey: String(2n ** 128n) }])).toContain("explicit hash key");
    expect(stream.shards().map(({ records }) => records)).toEqual([0, 0, 0]);
    expect(await rejected([{ partitionKey: "a", data: Buffer.alloc(mib) }])).toBe("taken");
    expect(await stream.putRecords([])).toEqual([]);
  });

  it("replaces the data of some records across many segments, and leaves everything else unchanged", async () => {
    const shard = stream.shards()[0]!.id;
    const key = { partitionKey: "key", explicitHashKey: "0" };
    const texts = Array.from({ length: 100 }, (_, n) => `${n} ${"long ".repeat(n)}`);
    for (const text of texts) await stream.putRecords([{ ...key, data: Buffer.from(text) }]);
    const before = await stream.read({ shard, ...everything });
    const changed = [3, 50, 99].map((n) => ({ ...before[n]!, data: Buffer.from(`changed ${n}`) }));
    const others = { shard: "shardId-000000000009", sequenceNumber: "1", data: Buffer.from("x") };
    expect(await stream.replace([...changed, others, { ...before[0]!, sequenceNumber: "49" }])).toBe(3);
    const after = await stream.read({ shard, ...everything });
    expect(after).toEqual(before.map((old) => changed.find((one) => one.sequenceNumber === old.sequenceNumber) ?? old));
    await stream.putRecords([{ ...key, data: Buffer.from("next") }]);
    await stream.close();
    stream = await open();
    expect(await stream.read({ shard, ...everything })).toEqual([
      ...after,
      expect.objectContaining({ partitionKey: "key" }),
    ]);
    const files = readdirSync(join(dir, shard)).map((name) => readFileSync(join(dir, shard, name), "latin1"));
    expect(files.length).toBeGreaterThan(3);
    expect(files.join("")).not.toContain(texts[50]);
  });

  it("loses no put and fails no read while records are replaced", async () => {
    const shard = stream.shards()[0]!.id;
    const put = (text: string) =>
      stream.putRecords([{ partitionKey: "key", explicitHashKey: "0", data: Buffer.from(text) }]);
    for (let n = 0; n < 50; n++) await put(`old ${n} ${"long ".repeat(40)}`);
    const [first] = await stream.read({ shard, limit: 1, maxBytes: 1 });
    const busy = Array.from({ length: 20 }, async (_, n) => {
      await put(`new ${n}`);
      return (await stream.read({ shard, ...everything })).length;
    });
    await stream.replace([{ ...first!, data: Buffer.from("short") }]);
    expect(Math.max(...(await Promise.all(busy)))).toBe(70);
    const texts = (await stream.read({ shard, ...everything })).map(({ data }) => Buffer.from(data).toString());
    expect(texts[0]).toBe("short");
    expect(texts.filter((text) => text.startsWith("new"))).toHaveLength(20);
  });

  it("rejects puts once it is closed", async () => {
    await stream.close();
    await expect(stream.putRecords([record("a")])).rejects.toThrow("closed: open it again");
  });
});
