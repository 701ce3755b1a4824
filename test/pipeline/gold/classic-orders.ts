import { readMenu, readProjectFile, readStores } from "../../../adapters/project-files.ts";
import { classicOrders } from "../../../producer/classic-year.ts";
import type { StoreProfile } from "../../../producer/tills.ts";
import type { FixtureOrder } from "./silver-fixture.ts";

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
