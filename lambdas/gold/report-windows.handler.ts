import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openLake } from "../handlers/open-lake.ts";
import { openWarehouse } from "../handlers/open-warehouse.ts";
import type { PublishingPlan } from "./plan-publishing.ts";
import { reportWindows } from "./report-windows.ts";

const open = once(async () => ({ ...openLake(), warehouse: await openWarehouse() }));

/** Ends a run of `silver_to_gold`: complete days count as reported, and how fresh gold is becomes a metric. */
export const handler = createHandler(
  async (plan: PublishingPlan) => await reportWindows(await open(), plan),
  ({ freshness }) =>
    freshness === null ? {} : { FreshnessSeconds: freshness.medianSeconds, FreshnessP95Seconds: freshness.p95Seconds },
);
