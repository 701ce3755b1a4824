import { createCatalog, type Catalog } from "../../pipeline/domain/catalog.ts";
import type { OrderEvent } from "../../pipeline/domain/generated/order-event.types.ts";

/** A menu of three pizzas and two stores, enough to check orders. */
export const catalog: Catalog = createCatalog(
  [
    pizza("hawaiian_m", "hawaiian", "The Hawaiian Pizza", "Classic", "M", 1325, 400),
    pizza("hawaiian_l", "hawaiian", "The Hawaiian Pizza", "Classic", "L", 1650, 520),
    pizza("bbq_ckn_s", "bbq_ckn", "The Barbecue Chicken Pizza", "Chicken", "S", 1275, 410),
  ],
  [
    { store_id: "nyc-01", city: "New York", state: "New York", time_zone: "America/New_York" },
    { store_id: "chi-01", city: "Chicago", state: "Illinois", time_zone: "America/Chicago" },
  ],
);

function pizza(id: string, type: string, name: string, category: string, size: string, price: number, cost: number) {
  return { pizza_id: id, pizza_type_id: type, name, category, size, price_cents: price, cost_cents: cost };
}

/** A valid order of one Hawaiian pizza; `changes` replaces fields. */
export function order(changes: Partial<OrderEvent> | Record<string, unknown> = {}): OrderEvent {
  return {
    schema_version: 1,
    order_id: "2015-000001",
    revision: 0,
    status: "placed",
    ordered_at: "2015-01-01T11:38:36-05:00",
    emitted_at: "2015-01-01T16:38:37.120Z",
    store_id: "nyc-01",
    channel: "dine_in",
    customer: { customer_id: "c-000117", name: "Ada", email: "ada@example.com" },
    lines: [{ line_no: 1, pizza_id: "hawaiian_m", quantity: 1, unit_price: 13.25 }],
    producer: { producer_id: "till-nyc-01-3", seq: 1 },
    ...changes,
  };
}

/** An ISO 8601 time in microseconds since 1970. */
export function micros(iso: string): number {
  return Date.parse(iso) * 1000;
}
