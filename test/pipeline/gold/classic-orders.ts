import { readCatalogFiles, readMenu, readProjectFile, readStores } from "../../../adapters/project-files.ts";
import { groupByMonth } from "../../../pipeline/gold/facts.ts";
import { publishCatalog } from "../../../pipeline/gold/migrate.ts";
import { publishCustomerDays, publishDays } from "../../../pipeline/gold/publish-windows.ts";
import { classicOrders } from "../../../producer/classic-year.ts";
import type { StoreProfile } from "../../../producer/tills.ts";
import { datesOf, openGoldPipeline } from "./gold-fixture.ts";
import { writeSilver, type FixtureOrder } from "./silver-fixture.ts";

/** The orders of the classic year as silver stores them. */
export function readClassicOrders(): FixtureOrder[] {
  const events = classicOrders({
    csv: readProjectFile("data/classic-2015.csv"),
    menu: readMenu(),
    stores: readStores<StoreProfile>(),
  });
  return Array.from(events, (event) => ({
    id: event.order_id,
    at: event.ordered_at.slice(0, 19),
    store: event.store_id,
    channel: event.channel,
    customer: event.customer?.customer_id ?? null,
    lines: event.lines.map(({ pizza_id, quantity }) => [pizza_id, quantity] as const),
  }));
}

/** Opens a gold that shows the classic year, with the catalog; `silver` has its order lines. */
export async function openClassicYear() {
  const pipeline = await openGoldPipeline();
  await publishCatalog(pipeline.writer, readCatalogFiles());
  const orders = readClassicOrders();
  const table = await writeSilver(pipeline.dir, 1, orders);
  const days = datesOf(orders);
  for (const windows of groupByMonth(days)) {
    await publishDays(pipeline.gold, { table: table(windows), windows, silverVersion: 1 });
  }
  await publishCustomerDays(pipeline.gold, { table: table(), windows: days, silverVersion: 1 });
  return { pipeline, silver: table() };
}
