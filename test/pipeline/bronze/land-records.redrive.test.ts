import { describe, expect, it } from "vitest";
import { decodeBronze } from "../../../pipeline/bronze/bronze-object.ts";
import { encodeFailedBatch } from "../../../pipeline/bronze/on-failure-objects.ts";
import { redriveLanding } from "../../../pipeline/bronze/land-records.ts";
import type { ObjectStore } from "../../../pipeline/ports.ts";
import { createMemoryStore } from "../delta/memory-store.ts";

const noon = Date.parse("2015-01-02T12:00:00Z");

function failedBatch(shard: string, ...numbers: number[]) {
  const records = numbers.map((number) => ({
    shard,
    sequenceNumber: `4900${number}`,
    partitionKey: "key",
    arrivedAt: noon - 3_600_000,
    data: Uint8Array.of(0, 255, number),
  }));
  return encodeFailedBatch({
    name: "landing",
    streamArn: "arn:aws:kinesis:local:000000000000:stream/orders",
    functionArn: "arn:aws:lambda:local:000000000000:function:landing",
    records,
    condition: "RetryAttemptsExhausted",
    invokeCount: 3,
    failedAt: noon - 60_000,
  });
}

async function withFailures(...batches: { key: string; body: Uint8Array }[]) {
  const [store, onFailure] = [createMemoryStore(), createMemoryStore()];
  for (const { key, body } of batches) await onFailure.put(key, body);
  const redrive = (over: ObjectStore = onFailure) =>
    redriveLanding({ store, onFailure: over, stream: "orders", clock: () => noon });
  const landed = async () => {
    const records = await Promise.all([...store.objects.values()].map(decodeBronze));
    return records.flat().map(({ shard, sequenceNumber, data }) => `${shard}/${sequenceNumber} ${data.at(-1)}`);
  };
  return { store, onFailure, redrive, landed };
}

describe("redrive of landing", () => {
  it("lands the failed batches of the event source mapping under the current hour, and empties the on-failure store", async () => {
    const pipeline = await withFailures(failedBatch("shard-0", 1, 2), failedBatch("shard-1", 3));
    expect(await pipeline.redrive()).toEqual({ redriven: 2, records: 3, unreadable: [] });
    expect(await pipeline.landed()).toEqual(["shard-0/49001 1", "shard-0/49002 2", "shard-1/49003 3"]);
    for (const key of pipeline.store.objects.keys()) expect(key).toContain("/2015-01-02T12/");
    expect(pipeline.onFailure.objects.size).toBe(0);
    expect(await pipeline.redrive()).toEqual({ redriven: 0, records: 0, unreadable: [] });
  });

  it("lands a batch once if the first attempt crashed before deleting it", async () => {
    const pipeline = await withFailures(failedBatch("shard-0", 1));
    const stuck = { ...pipeline.onFailure, delete: async () => Promise.reject(new Error("connection reset")) };
    await expect(pipeline.redrive(stuck)).rejects.toThrow("connection reset");
    await pipeline.redrive();
    expect(await pipeline.landed()).toEqual(["shard-0/49001 1"]);
  });

  it("leaves an object that is not a failed batch, names it, and continues", async () => {
    const pipeline = await withFailures(
      { key: "a note", body: Buffer.from("hello") },
      { key: "empty batch", body: Buffer.from('{"payload":"{\\"Records\\":[]}"}') },
      failedBatch("shard-0", 1),
    );
    expect(await pipeline.redrive()).toEqual({ redriven: 1, records: 1, unreadable: ["a note", "empty batch"] });
    expect([...pipeline.onFailure.objects.keys()].toSorted()).toEqual(["a note", "empty batch"]);
  });

  it("keeps the batch if bronze cannot be written", async () => {
    const pipeline = await withFailures(failedBatch("shard-0", 1));
    pipeline.store.put = async () => Promise.reject(new Error("slow down"));
    await expect(pipeline.redrive()).rejects.toThrow("slow down");
    expect(pipeline.onFailure.objects.size).toBe(1);
  });
});
