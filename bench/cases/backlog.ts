import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import type { OrderEvent } from "../../pipeline/domain/generated/order-event.types.ts";
import type { ObjectStore, StreamRecord } from "../../pipeline/ports.ts";
import { refineSilver } from "../../pipeline/silver/refine-silver.ts";
import { compactSilver, orderStream } from "../../pipeline/silver/tables.ts";
import { firstShards, sequenceNumberAt } from "../../targets/local/stream/shard-map.ts";
import { openRefinery } from "../bench-pipeline.ts";
import { busyOrders } from "../busy-chain.ts";
import type { BenchSetting, Case, Runner } from "../case.ts";

const answerMs = 30;
const keysPerList = 1000;
/** Of the refine function's 600 s, as `create-handler.ts` divides it. */
const workingMs = 0.4 * 600_000;
/** The maximum batching window of landing, and the chain's shards. */
const landingMs = 30_000;
const shards = firstShards(2, 1_700_000_000_000);
const ordersPerDay = 100_000;

const backlog: Case = {
  title: `backlog: refining works off a month at 100,000 orders a day, on a store that takes ${answerMs} ms a request`,
  unit: "orders",
  rounds: 1,
  warmUp: false,
  prepare,
  variants: { "refine and compact until nothing waits": openBacklog },
};

export default backlog;

const daysOf = ({ size }: BenchSetting) => Math.max(1, Math.round((30 * size.lines) / 1_000_000));
const folderOf = (setting: BenchSetting) => join(setting.dir, `backlog-${daysOf(setting)}`);

async function prepare(setting: BenchSetting): Promise<void> {
  const folder = folderOf(setting);
  if (existsSync(folder)) return;
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const store = openFolderStore(join(draft, "lake"));
  const orders = daysOf(setting) * ordersPerDay;
  const [sent, waiting] = [shards.map(() => 0), shards.map((): StreamRecord[] => [])];
  let count = 0;
  for (const event of busyOrders({ seed: 1, orders, busier: 135 })) {
    const arrivedAt = Date.parse(event.emitted_at);
    const index = count++ % shards.length;
    const first = waiting[index]![0]?.arrivedAt;
    if (first !== undefined && arrivedAt - first >= landingMs) await land(waiting[index]!.splice(0));
    waiting[index]!.push(recordOf(event, index, arrivedAt));
  }
  for (const records of waiting) await land(records);
  writeFileSync(join(draft, "sent.json"), JSON.stringify({ orders: count }));
  renameSync(draft, folder);

  function recordOf(event: OrderEvent, index: number, arrivedAt: number): StreamRecord {
    const shard = shards[index]!;
    const sequenceNumber = sequenceNumberAt(shard, sent[index]!++);
    const data = Buffer.from(JSON.stringify(event));
    return { shard: shard.id, sequenceNumber, partitionKey: event.store_id, arrivedAt, data };
  }

  async function land(records: StreamRecord[]): Promise<void> {
    if (records.length === 0) return;
    await landRecords({ store, stream: orderStream, clock: () => records.at(-1)!.arrivedAt }, records);
  }
}

async function openBacklog(setting: BenchSetting): Promise<Runner> {
  const { orders }: { orders: number } = JSON.parse(readFileSync(join(folderOf(setting), "sent.json"), "utf8"));
  const lake = join(folderOf(setting), "lake");
  return {
    async run() {
      const store = slow(openFolderStore(lake));
      const refinery = openRefinery(store);
      const figures = { runs: 0, longestRunSeconds: 0, objects: 0 };
      let accepted = 0;
      for (let remaining = Number.POSITIVE_INFINITY; remaining > 0;) {
        const started = performance.now();
        const summary = await refineSilver(refinery, { sweep: "full", until: Date.now() + workingMs });
        accepted += summary.accepted;
        figures.runs++;
        figures.objects += summary.bronzeObjects;
        figures.longestRunSeconds = Math.max(figures.longestRunSeconds, (performance.now() - started) / 1000);
        await compactSilver(refinery, { sweep: "recent" });
        remaining = summary.remaining;
      }
      if (accepted !== orders) throw new Error(`backlog: ${accepted} of ${orders} orders were accepted`);
      return { units: orders, figures };
    },
    close: async () => rmSync(folderOf(setting), { recursive: true, force: true }),
  };
}

/** A store whose every request takes as long as one to a distant S3; a listing is a request per 1,000 keys. */
function slow(store: ObjectStore): ObjectStore {
  const later = async <Result>(answer: Promise<Result>, requests: (result: Result) => number = () => 1) => {
    const result = await answer;
    await sleep(answerMs * requests(result));
    return result;
  };
  return {
    get: (key) => later(store.get(key)),
    put: (key, body, options) => later(store.put(key, body, options)),
    list: (prefix, options) => later(store.list(prefix, options), (found) => 1 + found.length / keysPerList),
    delete: (key) => later(store.delete(key)),
  };
}
