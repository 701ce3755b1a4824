import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { kinesisContents } from "../../adapters/kinesis-contents.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import { encodeFailedBatch } from "../../pipeline/bronze/on-failure-objects.ts";
import type { ObjectStore, StreamRecord } from "../../pipeline/ports.ts";
import { openKinesisPipeline, recordOf, type KinesisPipeline } from "./kinesis-fixture.ts";

let pipeline: KinesisPipeline;
let store: ObjectStore;
let onFailure: ObjectStore;
beforeEach(async () => {
  pipeline = await openKinesisPipeline({ shards: 1 });
  store = openFolderStore(join(pipeline.root, "lake"));
  onFailure = openFolderStore(join(pipeline.root, "on-failure"));
});
afterEach(() => pipeline.close());

const stream = "orders";
const account = () =>
  kinesisContents({ streamName: "pizza-orders", store, onFailure, stream, client: pipeline.client });

async function send(...texts: string[]): Promise<void> {
  await pipeline.server.log.putRecords(texts.map((text) => recordOf(text)));
  // Records that arrive in the same millisecond as the call count as later.
  await sleep(2);
}

async function readAll(from = account()): Promise<StreamRecord[]> {
  const records: StreamRecord[] = [];
  for await (const record of from.records()) records.push(record);
  return records;
}

const textsOf = (records: StreamRecord[]) => records.map(({ data }) => Buffer.from(data).toString());

async function fail(records: StreamRecord[]): Promise<void> {
  const [streamArn, functionArn] = ["arn:aws:kinesis:stream", "arn:aws:lambda:function"];
  const place = { name: "mapping", streamArn, functionArn, condition: "RetryAttemptsExhausted" } as const;
  const { key, body } = encodeFailedBatch({ ...place, records, invokeCount: 3, failedAt: Date.now() });
  await onFailure.put(key, body);
}

test("every record is returned once, page by page, even from closed shards", async () => {
  const sent = Array.from({ length: 8 }, (_, index) => `a${index}`);
  await send(...sent);
  await pipeline.server.log.reshard(3);
  await pipeline.server.log.putRecords([recordOf("b"), recordOf("c", String(2n ** 128n - 1n))]);
  await sleep(2);
  const records = await readAll();
  expect(textsOf(records)).toEqual([...sent, "b", "c"]);
  expect(records[0]).toMatchObject({ shard: "shardId-000000000000", partitionKey: "lane-0" });
  expect(Math.abs(records[0]!.arrivedAt - Date.now())).toBeLessThan(60_000);
});

test("empty pages, an expired iterator, throttling and a dropped connection neither lose nor repeat records", async () => {
  await send("a", "b", "c", "d", "e", "f", "g");
  pipeline.server.faults.push(
    { on: "GetRecords", kind: "empty page" },
    { on: "GetRecords", kind: "throttled" },
    { on: "GetRecords", kind: "reset" },
  );
  const records: StreamRecord[] = [];
  for await (const record of account().records()) {
    records.push(record);
    if (records.length === 4) pipeline.server.faults.push({ on: "GetRecords", kind: "expired iterator" });
  }
  expect(textsOf(records)).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
  expect(pipeline.server.faults).toEqual([]);
});

test("reading a busy stream ends with the records that arrived before the call", async () => {
  await send("a", "b", "c");
  const before = account();
  await sleep(2);
  await send("d", "e", "f", "g");
  expect(textsOf(await readAll(before))).toEqual(["a", "b", "c"]);
});

test("a record is confirmed once landing has passed it, in bronze or in the on-failure store", async () => {
  await send("a", "b", "c", "d", "e");
  const records = await readAll();
  const [a, b, c, d, e] = records as [StreamRecord, StreamRecord, StreamRecord, StreamRecord, StreamRecord];
  const sources = account();
  const confirmed = async () => {
    const { positions } = await sources.onFailure();
    return { positions: [...positions], texts: textsOf(records.filter((record) => sources.isConfirmed(record))) };
  };
  expect(sources.isComplete).toBe(false);
  expect(await confirmed()).toEqual({ positions: [], texts: [] });
  await landRecords({ store, stream }, [b]);
  expect(await confirmed()).toEqual({ positions: [], texts: ["a"] });
  await fail([d]);
  expect(await confirmed()).toEqual({ positions: [`${d.shard}/${d.sequenceNumber}`], texts: ["a", "c"] });
  await landRecords({ store, stream }, [a, b, c]);
  expect((await confirmed()).texts).toEqual([]);
  await landRecords({ store, stream }, [e]);
  expect((await confirmed()).texts).toEqual([]);
});

test("a record of another shard confirms nothing in this one", async () => {
  await send("a");
  const [record] = (await readAll()) as [StreamRecord];
  await landRecords({ store, stream }, [{ ...record, shard: "shardId-000000000009", sequenceNumber: "9".repeat(56) }]);
  const sources = account();
  await sources.onFailure();
  expect(sources.isConfirmed(record)).toBe(false);
});

test("errors name the stream and say what to do", async () => {
  pipeline.server.faults.push({ on: "ListShards", kind: "not found" });
  await expect(readAll()).rejects.toThrow(
    "Kinesis stream pizza-orders: ListShards, GetShardIterator, GetRecords failed:",
  );
});
