import { openWarehouse } from "../../adapters/warehouse.ts";
import type { PublishingPlan } from "../../pipeline/gold/plan-windows.ts";
import { reportWindows } from "../../pipeline/gold/report-windows.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openLake } from "../runtime/resources.ts";
import { warehouseSettings } from "../runtime/settings.ts";

const open = lazy(async () => ({ ...openLake(), warehouse: await openWarehouse(warehouseSettings()) }));

/** Completes a run of `silver_to_gold`: marks complete days as reported and measures gold's freshness. */
export const handler = createHandler(
  async (plan: PublishingPlan) => await reportWindows(await open(), plan),
  ({ freshness }) =>
    freshness === null ? {} : { FreshnessSeconds: freshness.medianSeconds, FreshnessP95Seconds: freshness.p95Seconds },
);
