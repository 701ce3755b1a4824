import { openWarehouse } from "../../adapters/warehouse.ts";
import { planWindows } from "../../pipeline/gold/plan-windows.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openLake } from "../runtime/resources.ts";
import { setting, warehouseSettings } from "../runtime/settings.ts";

const open = lazy(async () => ({
  ...openLake(),
  stream: orderStream,
  customersEveryMs: Number(setting("CUSTOMERS_EVERY_SECONDS")) * 1000,
  warehouse: await openWarehouse(warehouseSettings()),
}));

/** Plans which days of gold to publish again. */
export const handler = createHandler(
  async (input: { customers: "now" | "when due" }) => await planWindows(await open(), input),
);
