import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openLake } from "../handlers/open-lake.ts";
import { openWarehouse } from "../handlers/open-warehouse.ts";
import { setting } from "../handlers/settings.ts";
import { planPublishing } from "./plan-publishing.ts";

const open = once(async () => ({
  ...openLake(),
  customersEveryMs: Number(setting("CUSTOMERS_EVERY_SECONDS")) * 1000,
  warehouse: await openWarehouse(),
}));

/** Says which days gold has to show anew. */
export const handler = createHandler(
  async (input: { customers: "now" | "when due" }) => await planPublishing(await open(), input),
);
