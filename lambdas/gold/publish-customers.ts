import { openLakeEngine } from "../../adapters/lake-engine.ts";
import { loadGoldSql } from "../../adapters/project-files.ts";
import { openWarehouse } from "../../adapters/warehouse.ts";
import type { PublishingPlan } from "../../pipeline/gold/plan-windows.ts";
import { publishCustomers } from "../../pipeline/gold/publish-windows.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openLake } from "../runtime/resources.ts";
import { lakeEngineSettings, warehouseSettings } from "../runtime/settings.ts";

const open = lazy(async () => {
  const { store, silver, clock } = openLake();
  const [lake, warehouse] = [
    await openLakeEngine(lakeEngineSettings(), store),
    await openWarehouse(warehouseSettings()),
  ];
  return { silver, clock, sql: loadGoldSql(), lake, warehouse };
});

/** Publishes the customer rows of the plan's days. */
export const handler = createHandler(
  async (plan: PublishingPlan, { until }) => await publishCustomers(await open(), plan, { until }),
  ({ corrections }) => ({ Corrections: corrections }),
);
