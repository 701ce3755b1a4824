import { rmSync } from "node:fs";
import { join } from "node:path";
import type { KinesisStreamEvent } from "aws-lambda";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { kinesisRecords } from "../../lambdas/bronze/land-records.ts";
import { decodeBronze } from "../../pipeline/bronze/bronze-object.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import type { ObjectStore, StreamRecord } from "../../pipeline/ports.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { openBusyChain, prepareBusyChain } from "../busy-chain.ts";
import type { Case, Runner, BenchSetting } from "../case.ts";
import { createMemoryStore } from "../memory-store.ts";
import { landPlain } from "../plain-landing.ts";

type Land = (store: ObjectStore, records: readonly StreamRecord[]) => Promise<number>;

/** Repetitions per round, each into an empty store: landing the batches once takes only milliseconds. */
const repeats = { batched: 10, single: 1 };

const ours: Land = async (store, records) => {
  const clock = () => records.at(-1)!.arrivedAt;
  return (await landRecords({ store, stream: orderStream, clock }, records)).bytes;
};

const landing: Case = {
  title: "landing: a Lambda function's event, JSON with base64 -> a bronze object",
  unit: "events",
  prepare: prepareBusyChain,
  variants: {
    "batches, in memory": (setting) => land(setting, "batched", ours),
    "batches, on disk": (setting) => land(setting, "batched", ours, join(setting.dir, "landing")),
    "single events, in memory": (setting) => land(setting, "single", ours),
    "plain: single events, hyparquet-writer": (setting) => land(setting, "single", landPlain),
  },
};

export default landing;

async function land(setting: BenchSetting, form: "batched" | "single", into: Land, folder?: string): Promise<Runner> {
  const { store, sent } = openBusyChain(setting, form, form === "batched" ? "all" : "part");
  const invocations: string[] = [];
  for (const { key } of await store.list("bronze/")) {
    invocations.push(lambdaEvent(await decodeBronze((await store.get(key))!)));
  }
  return {
    async before() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
    async run() {
      let bytes = 0;
      for (let repeat = 0; repeat < repeats[form]; repeat++) {
        const target = folder === undefined ? createMemoryStore() : openFolderStore(join(folder, String(repeat)));
        for (const text of invocations) bytes += await into(target, recordsOf(text));
      }
      const landed = sent.events * repeats[form];
      return {
        units: landed,
        figures: { bytesPerEvent: bytes / landed, jsonBytesPerEvent: sent.jsonBytes / sent.events },
      };
    },
    async close() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function recordsOf(text: string): StreamRecord[] {
  const event: KinesisStreamEvent = JSON.parse(text);
  return kinesisRecords(event);
}

/** Lambda's Kinesis event for some records, as JSON text. */
function lambdaEvent(records: readonly StreamRecord[]): string {
  return JSON.stringify({
    Records: records.map(({ shard, sequenceNumber, partitionKey, arrivedAt, data }) => ({
      kinesis: {
        kinesisSchemaVersion: "1.0",
        partitionKey,
        sequenceNumber,
        data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
        approximateArrivalTimestamp: arrivedAt / 1000,
      },
      eventSource: "aws:kinesis",
      eventVersion: "1.0",
      eventID: `${shard}:${sequenceNumber}`,
      eventName: "aws:kinesis:record",
      invokeIdentityArn: "arn:aws:iam::000000000000:role/landing",
      awsRegion: "us-east-1",
      eventSourceARN: "arn:aws:kinesis:us-east-1:000000000000:stream/orders",
    })),
  });
}
