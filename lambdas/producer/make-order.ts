import type { Pizza } from "../domain/catalog.ts";
import type { OrderEvent, OrderLine } from "../domain/generated/order-event.types.ts";
import type { Guest } from "./guests.ts";
import type { StoreProfile } from "./store-profile.ts";
import type { Sending } from "./tills.ts";
import { formatUtc, formatWall } from "./wall-clock.ts";

/** Some pizzas of one kind in an order. */
export interface BasketItem {
  pizza: Pizza;
  quantity: number;
}

/** Puts a new order together; `orderedAt` is in milliseconds since 1970, and seconds are all that a till's receipt shows. */
export function makeOrder({
  orderId,
  store,
  orderedAt,
  guest,
  basket,
  sending,
}: {
  orderId: string;
  store: StoreProfile;
  orderedAt: number;
  guest: Guest;
  basket: readonly BasketItem[];
  sending: Sending;
}): OrderEvent {
  return {
    schema_version: 1,
    order_id: orderId,
    revision: 0,
    status: "placed",
    ordered_at: formatWall(store.time_zone, orderedAt),
    emitted_at: formatUtc(sending.emittedAt),
    store_id: store.store_id,
    channel: guest.channel,
    ...(guest.customer && { customer: guest.customer }),
    lines: orderLines(basket),
    producer: { producer_id: sending.producer_id, seq: sending.seq },
  };
}

function orderLines(basket: readonly BasketItem[]): OrderEvent["lines"] {
  const lines = basket.map(({ pizza, quantity }, index): OrderLine => ({
    line_no: index + 1,
    pizza_id: pizza.pizza_id,
    quantity,
    unit_price: pizza.price_cents / 100,
  }));
  const [first, ...rest] = lines;
  if (first === undefined) throw new Error("basket: an order needs at least one pizza");
  return [first, ...rest];
}
