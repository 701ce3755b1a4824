import type { OrderEvent } from "../domain/generated/order-event.types.ts";
import { customerOf, guestNumber, type Customer } from "./customers.ts";
import { createChoice, type Random } from "./random.ts";
import type { StoreProfile } from "./store-profile.ts";

export type Channel = OrderEvent["channel"];

/** Who ordered, and how the order reached the store. */
export interface Guest {
  channel: Channel;
  customer?: Customer;
}

/** Invented: lunch is eaten in, dinner is brought. */
const channelsByDaypart = {
  lunch: channels(0.5, 0.3, 0.08, 0.12),
  afternoon: channels(0.42, 0.3, 0.12, 0.16),
  dinner: channels(0.38, 0.17, 0.25, 0.2),
  late: channels(0.2, 0.2, 0.35, 0.25),
};

function channels(dineIn: number, takeaway: number, delivery: number, online: number): (random: Random) => Channel {
  return createChoice([
    ["dine_in", dineIn],
    ["takeaway", takeaway],
    ["delivery", delivery],
    ["online", online],
  ]);
}

/** Share of orders that carry a name; whoever has a pizza brought must say where to. */
const named: Record<Channel, number> = { dine_in: 0.45, takeaway: 0.6, delivery: 1, online: 1 };

/** Share of guests who order from another store than their own. */
const travelling = 0.03;

export type Daypart = keyof typeof channelsByDaypart;

/** The part of the day that an hour of the store's own clock belongs to. */
export function daypartOf(hour: number): Daypart {
  if (hour < 15) return "lunch";
  if (hour < 17) return "afternoon";
  return hour < 21 ? "dinner" : "late";
}

/** Draws a guest for an order at a store; `wall` is the store's clock in milliseconds, read as if it were UTC. */
export function createGuests(stores: readonly StoreProfile[]): (store: number, wall: number, random: Random) => Guest {
  const known = new Map<number, Customer>();
  function customer(number: number): Customer {
    const found = known.get(number) ?? customerOf(number, stores);
    // Bounded: an endless run meets an endless number of guests.
    if (known.size < 50_000) known.set(number, found);
    return found;
  }
  return (store, wall, random) => {
    const channel = channelsByDaypart[daypartOf(Math.floor(wall / 3_600_000) % 24)](random);
    if (!random.chance(named[channel])) return { channel };
    const home = random.chance(travelling) ? random.integer(0, stores.length - 1) : store;
    const number = guestNumber(stores[home]!, home, Math.floor(wall / 86_400_000), random.next());
    return { channel, customer: customer(number) };
  };
}
