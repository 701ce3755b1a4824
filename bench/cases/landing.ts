import { rmSync } from "node:fs";
import { join } from "node:path";
import { openFolderStore } from "../../lambdas/adapters/folder-store.ts";
import type { KinesisStreamEvent } from "aws-lambda";
import { kinesisRecords } from "../../lambdas/adapters/kinesis-event.ts";
import { decodeBronze } from "../../lambdas/bronze/bronze-object.ts";
import { landRecords } from "../../lambdas/bronze/land-records.ts";
import type { ObjectStore, StreamRecord } from "../../lambdas/ports.ts";
import { orderStream } from "../../lambdas/silver/tables.ts";
import { openBusyChain, prepareBusyChain } from "../busy-chain.ts";
import type { Case, Runner, Setting } from "../case.ts";
import { lambdaEvent } from "../lambda-event.ts";
import { createMemoryStore } from "../memory-store.ts";
import { landPlain } from "../plain-landing.ts";

type Land = (store: ObjectStore, records: readonly StreamRecord[]) => Promise<number>;

/** A round of batches is over in milliseconds: it lands them so many times, into an empty store each time. */
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

async function land(setting: Setting, form: "batched" | "single", into: Land, folder?: string): Promise<Runner> {
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
