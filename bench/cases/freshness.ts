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
import type { Case, Runner, Setting } from "../case.ts";

const ordersPerSecond = 200;

const freshness: Case = {
  title: "freshness: from the till's sending to the publish in gold, measured by the embedded home itself",
  unit: "orders",
  rounds: 1,
  warmUp: false,
  variants: { "200 orders a second": sendSteadily },
};

export default freshness;

async function sendSteadily({ dir, size }: Setting): Promise<Runner> {
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
      const { freshness: told } = await pipeline.status();
      if (told === null) throw new Error("freshness: the home tells none; nothing was published");
      return { units: events, figures: { medianSeconds: told.medianSeconds, p95Seconds: told.p95Seconds } };
    },
    async close() {
      await pipeline.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
