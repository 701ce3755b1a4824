import { rmSync } from "node:fs";
import { join } from "node:path";
import { readMenu, readProjectJson, readStores } from "../../adapters/project-files.ts";
import { toOutgoing } from "../../producer/batch-builder.ts";
import { paced } from "../../producer/pace.ts";
import type { Patterns } from "../../producer/patterns.ts";
import { createSender } from "../../producer/send-orders.ts";
import { simulateOrders } from "../../producer/simulator.ts";
import type { StoreProfile } from "../../producer/tills.ts";
import { openLocalPipeline } from "../../targets/local/open.ts";
import type { Case, Runner, BenchSetting } from "../case.ts";

const ordersPerSecond = 200;

const freshness: Case = {
  title: "freshness: from sending by the till to publication in gold, measured by the local pipeline",
  unit: "orders",
  rounds: 1,
  warmUp: false,
  variants: { "200 orders a second": sendSteadily },
};

export default freshness;

async function sendSteadily({ dir, size }: BenchSetting): Promise<Runner> {
  const folder = join(dir, "freshness");
  rmSync(folder, { recursive: true, force: true });
  const pipeline = await openLocalPipeline({ dir: folder });
  return {
    async run() {
      const sender = createSender({ sink: pipeline.sink });
      const orders = simulateOrders({
        seed: 200,
        menu: readMenu(),
        stores: readStores<StoreProfile>(),
        patterns: readProjectJson<Patterns>("data/patterns.json"),
        orders: ordersPerSecond * size.freshnessSeconds,
      });
      for await (const order of paced(orders, { rate: ordersPerSecond })) await sender.send(toOutgoing(order));
      const { events } = await sender.close();
      await pipeline.drain();
      const { freshness: measured } = await pipeline.status();
      if (measured === null) throw new Error("freshness: the status has none, because nothing was published");
      return { units: events, figures: { medianSeconds: measured.medianSeconds, p95Seconds: measured.p95Seconds } };
    },
    async close() {
      await pipeline.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
