import { rmSync } from "node:fs";
import { join } from "node:path";
import { openFolderStore } from "../../lambdas/adapters/folder-store.ts";
import { decodeBronze } from "../../lambdas/bronze/bronze-object.ts";
import { landRecords } from "../../lambdas/bronze/land-records.ts";
import type { ObjectStore, StreamRecord } from "../../lambdas/ports.ts";
import { orderStream } from "../../lambdas/silver/tables.ts";
import { openBusyChain, prepareBusyChain } from "../busy-chain.ts";
import type { Case, Runner, Setting } from "../case.ts";
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
  title: "landing: stream records -> bronze objects",
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
  const invocations: StreamRecord[][] = [];
  for (const { key } of await store.list("bronze/")) invocations.push(await decodeBronze((await store.get(key))!));
  return {
    async before() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
    async run() {
      let bytes = 0;
      for (let repeat = 0; repeat < repeats[form]; repeat++) {
        const target = folder === undefined ? createMemoryStore() : openFolderStore(join(folder, String(repeat)));
        for (const records of invocations) bytes += await into(target, records);
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
