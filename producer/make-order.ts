import { validOn, type Pizza, type Versions } from "../pipeline/domain/catalog.ts";
import type { OrderEvent, OrderLine } from "../pipeline/domain/generated/order-event.types.ts";
import type { Visit } from "./customers.ts";
import type { Sending, StoreProfile } from "./tills.ts";
import { formatUtc, formatWall } from "../pipeline/domain/wall-clock.ts";

/** A pizza and its quantity in an order. */
export interface BasketItem {
  pizza: Versions<Pizza>;
  quantity: number;
}

/** Creates a new order at the prices of its day; `orderedAt` is in milliseconds since 1970 and truncated to seconds. */
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
  guest: Visit;
  basket: readonly BasketItem[];
  sending: Sending;
}): OrderEvent {
  const ordered_at = formatWall(store.time_zone, orderedAt);
  return {
    schema_version: 1,
    order_id: orderId,
    revision: 0,
    status: "placed",
    ordered_at,
    emitted_at: formatUtc(sending.emittedAt),
    store_id: store.store_id,
    channel: guest.channel,
    ...(guest.customer && { customer: guest.customer }),
    lines: orderLines(basket, ordered_at.slice(0, 10)),
    producer: { producer_id: sending.producer_id, seq: sending.seq },
  };
}

function orderLines(basket: readonly BasketItem[], day: string): OrderEvent["lines"] {
  const lines = basket.map(({ pizza, quantity }, index): OrderLine => {
    const version = validOn(pizza, day);
    if (version === undefined) throw new Error(`basket: ${pizza[0]?.pizza_id} is not on the menu of ${day}`);
    return { line_no: index + 1, pizza_id: version.pizza_id, quantity, unit_price: version.price_cents / 100 };
  });
  const [first, ...rest] = lines;
  if (first === undefined) throw new Error("basket: an order needs at least one pizza");
  return [first, ...rest];
}
