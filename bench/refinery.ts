import { loadCatalog } from "../lambdas/adapters/project-files.ts";
import type { ObjectStore } from "../lambdas/ports.ts";
import { createCustomerKey } from "../lambdas/silver/customer-key.ts";
import { refineSilver, type Refinery } from "../lambdas/silver/refine-silver.ts";
import { openQuarantine, openSilver, orderStream } from "../lambdas/silver/tables.ts";

/** The refine step on a store, wired as the homes wire it. */
export function openRefinery(store: ObjectStore): Refinery {
  const clock = Date.now;
  return {
    store,
    stream: orderStream,
    silver: openSilver({ store, clock }),
    quarantine: openQuarantine({ store, clock }),
    catalog: loadCatalog(),
    customerKey: createCustomerKey("the benchmark's secret"),
    clock,
  };
}

/** Refines until nothing waits; returns the order lines that came into silver and the commits it took. */
export async function refineAll(refinery: Refinery): Promise<{ lines: number; commits: number }> {
  const done = { lines: 0, commits: 0 };
  for (let remaining = Number.POSITIVE_INFINITY; remaining > 0;) {
    const summary = await refineSilver(refinery);
    if (summary.quarantined > 0)
      throw new Error(`refining: ${summary.quarantined} events were refused; see quarantine`);
    done.lines += summary.lines;
    done.commits += Number(summary.bronzeObjects > 0);
    remaining = summary.remaining;
  }
  return done;
}
