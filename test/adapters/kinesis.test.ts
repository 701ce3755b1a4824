import { afterEach, beforeEach, expect, test } from "vitest";
import { newKinesisClient, openKinesisSink } from "../../adapters/kinesis.ts";
import type { EventSink } from "../../pipeline/ports.ts";
import { testAccess } from "../support/aws-access.ts";
import { openKinesisPipeline, recordOf, type KinesisPipeline } from "./kinesis-fixture.ts";

let pipeline: KinesisPipeline;
let sink: EventSink;
beforeEach(async () => {
  pipeline = await openKinesisPipeline({ shards: 2 });
  sink = openKinesisSink({ streamName: "orders", client: pipeline.client });
});
afterEach(() => pipeline.close());

const secondShard = String(2n ** 127n);
const puts = () => pipeline.server.calls.filter(({ operation }) => operation === "PutRecords");
const sizes = () => puts().map(({ input }) => (input["Records"] as unknown[]).length);

async function storedIn(shard: string): Promise<string[]> {
  const records = await pipeline.server.log.read({ shard, limit: 2000, maxBytes: 1e9 });
  return records.map(({ data }) => Buffer.from(data).toString());
}

test("every record gets a separate result, in order, from the shard of its hash key", async () => {
  const results = await sink.putRecords([recordOf("a"), recordOf("b", secondShard), recordOf("c")]);
  expect(results.map((result) => "shard" in result && result.shard)).toEqual([
    "shardId-000000000000",
    "shardId-000000000001",
    "shardId-000000000000",
  ]);
  expect(results).toEqual(
    results.map(() => expect.objectContaining({ sequenceNumber: expect.stringMatching(/^\d{56}$/) })),
  );
  expect(await storedIn("shardId-000000000000")).toEqual(["a", "c"]);
  expect(await storedIn("shardId-000000000001")).toEqual(["b"]);
});

test("a record that the stream rejects gets an error result and is not stored", async () => {
  pipeline.server.faults.push({ on: "PutRecords", kind: "some entries" });
  const results = await sink.putRecords(["a", "b", "c"].map((text) => recordOf(text)));
  expect(results[1]).toEqual({
    errorCode: "ProvisionedThroughputExceededException",
    errorMessage: "Rate exceeded for shard",
  });
  expect(await storedIn("shardId-000000000000")).toEqual(["a", "c"]);
});

test("more than 500 records, or more than 5 MiB, are sent in several calls", async () => {
  const many = Array.from({ length: 1001 }, (_, index) => recordOf(String(index)));
  expect(await sink.putRecords(many)).toHaveLength(1001);
  expect(sizes()).toEqual([500, 500, 1]);
  const large = Array.from({ length: 7 }, () => recordOf("x".repeat(1024 * 1024 - 6)));
  expect(await sink.putRecords(large)).toHaveLength(7);
  expect(sizes().slice(3)).toEqual([5, 2]);
});

test("an empty list makes no call", async () => {
  expect(await sink.putRecords([])).toEqual([]);
  expect(puts()).toEqual([]);
});

test("a throttled call and a dropped connection are retried", async () => {
  pipeline.server.faults.push({ on: "PutRecords", kind: "throttled" }, { on: "PutRecords", kind: "reset" });
  expect(await sink.putRecords([recordOf("a")])).toHaveLength(1);
  expect(await storedIn("shardId-000000000000")).toEqual(["a"]);
});

test("a lost response stores the records twice, because the stream is at-least-once", async () => {
  pipeline.server.faults.push({ on: "PutRecords", kind: "lost answer" });
  await sink.putRecords([recordOf("a")]);
  expect(await storedIn("shardId-000000000000")).toEqual(["a", "a"]);
});

test("a call that fails after others have succeeded fails only its own records", async () => {
  const tooLarge = { ...recordOf("x"), data: new Uint8Array(1024 * 1024 + 1) };
  const records = [...Array.from({ length: 500 }, (_, index) => recordOf(String(index))), tooLarge, recordOf("last")];
  const results = await sink.putRecords(records);
  expect(results.slice(0, 500).every((result) => "sequenceNumber" in result)).toBe(true);
  expect(results.slice(500)).toEqual(
    Array.from({ length: 2 }, () => ({ errorCode: "ValidationException", errorMessage: expect.any(String) })),
  );
  await expect(sink.putRecords([tooLarge])).rejects.toThrow(
    /^Kinesis stream orders: PutRecords failed: .*1048577 bytes/,
  );
});

test("the number of open shards is kept up to date", async () => {
  expect(await sink.openShards()).toBe(2);
  await pipeline.server.log.reshard(3);
  expect(await sink.openShards()).toBe(3);
});

test("errors name the stream and say what to do", async () => {
  pipeline.server.faults.push({ on: "DescribeStreamSummary", kind: "not found" }, { on: "PutRecords", kind: "denied" });
  await expect(sink.openShards()).rejects.toThrow(
    "Kinesis stream orders: DescribeStreamSummary failed: the stream does not exist",
  );
  await expect(sink.putRecords([recordOf("a")])).rejects.toThrow("access is denied: allow the role PutRecords on");
  const nobody = newKinesisClient({ endpoint: "http://127.0.0.1:1", maxAttempts: 1, ...testAccess });
  await expect(openKinesisSink({ streamName: "orders", client: nobody }).openShards()).rejects.toThrow(
    "does not answer",
  );
});
