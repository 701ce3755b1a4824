import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import { createChoice, createRandom, type Random } from "./random.ts";
import type { StoreProfile } from "./tills.ts";
import { dayMs } from "../pipeline/domain/dates.ts";

type Customer = NonNullable<OrderEvent["customer"]>;

/** All runs share one population of guests. */
export const populationSeed = "guests of the chain";

/** Guest numbers reserved per store, so that a store's guests do not depend on which other stores are simulated. */
const numbersPerStore = 100_000;

const firstNames = (
  "Aaliyah Aaron Adriana Aiden Alejandro Alice Amara Amir Ana Andre Anika Anthony Aria Benjamin Bianca Brandon Camila " +
  "Carlos Chloe Claire Daniel Darius David Destiny Diego Elena Elijah Emily Emma Ethan Eva Fatima Felix Gabriel Grace " +
  "Hana Hannah Henry Ian Imani Isaac Isabella Jada James Jasmine Javier Jing Jordan Julia Kai Keisha Kevin Layla Leo " +
  "Liam Lily Lucas Malik Maria Marcus Maya Mei Mia Michael Naomi Nina Noah Nora Oliver Olivia Omar Priya Quinn Rachel " +
  "Ravi Rosa Ryan Sakura Samuel Sara Sofia Sophia Tariq Teresa Thomas Tyler Valeria Victor Wei William Ximena Yusuf Zoe"
).split(" ");

const lastNames = (
  "Adams Ahmed Ali Allen Alvarez Anderson Baker Banks Bell Bennett Brooks Brown Campbell Carter Castillo Chan Chavez " +
  "Chen Clark Coleman Collins Cooper Cruz Davis Diaz Edwards Evans Fisher Flores Foster Garcia Gomez Gonzalez Gray " +
  "Green Gupta Hall Harris Hernandez Hill Howard Hughes Jackson James Jenkins Johnson Jones Kelly Khan Kim King Lee " +
  "Lewis Lopez Martin Martinez Miller Mitchell Moore Morales Morgan Murphy Nelson Nguyen Ortiz Park Parker Patel Perez " +
  "Phillips Powell Price Ramirez Reed Reyes Rivera Roberts Robinson Rogers Ross Ruiz Russell Sanchez Scott Shah Smith " +
  "Stewart Sullivan Taylor Thomas Thompson Torres Turner Walker Ward Washington Watson White Williams Wilson Wong Young"
).split(" ");

/** The invented guest with that number: a pure function of seed, number and list of stores. */
export function customerOf(number: number, stores: readonly StoreProfile[], seed: string = populationSeed): Customer {
  const random = createRandom(seed, number);
  const homeStore = stores[Math.floor(number / numbersPerStore) % stores.length]!;
  const first = random.pick(firstNames);
  const last = random.pick(lastNames);
  return {
    customer_id: `c-${String(number).padStart(6, "0")}`,
    name: `${first} ${last}`,
    email: `${first}.${last}.${number}@example.com`.toLowerCase(),
    // 555-0100 to 555-0199 are reserved for fictional use.
    phone: `+1-${homeStore.area_code}-555-01${String(random.integer(0, 99)).padStart(2, "0")}`,
    city: homeStore.city,
    postal_code: `${homeStore.postal_prefix}${String(random.integer(1, 60)).padStart(2, "0")}`,
  };
}

/** Active guests of a store of weight 1. */
const guestsPerStore = 1000;
/** Days after which a guest is replaced by a new one. */
const daysPerGuest = 540;
const firstDay = Date.UTC(2015, 0, 1) / dayMs;

/**
 * The number of a guest of the store with that index on a day (days since 1970). Few guests come often and many rarely;
 * over the months regulars are replaced by new ones.
 */
export function guestNumber(store: StoreProfile, storeIndex: number, dayNumber: number, draw: number): number {
  const ranks = Math.max(1, Math.round(guestsPerStore * store.weight));
  // Squaring makes a few ranks frequent; multiplying by a prime spreads them over the numbers.
  const rank = (Math.floor(ranks * draw * draw) * 7919) % ranks;
  const turnover = Math.max(0, Math.floor(((dayNumber - firstDay) * ranks) / daysPerGuest));
  const generation = Math.max(0, Math.ceil((turnover - rank) / ranks));
  return storeIndex * numbersPerStore + 1 + ((rank + generation * ranks) % (numbersPerStore - 1));
}

export type Channel = OrderEvent["channel"];

/** The customer, if known, and the channel of an order. */
export interface Visit {
  channel: Channel;
  customer?: Customer;
}

/** Invented shares: more dine-in at lunch, more delivery at dinner. */
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

/** Share of orders with a customer; delivery and online orders need one. */
const named: Record<Channel, number> = { dine_in: 0.45, takeaway: 0.6, delivery: 1, online: 1 };

/** Share of guests who order from a store other than their own. */
const travelling = 0.03;

export type Daypart = keyof typeof channelsByDaypart;

/** The part of the day of an hour on the store's clock. */
export function daypartOf(hour: number): Daypart {
  if (hour < 15) return "lunch";
  if (hour < 17) return "afternoon";
  return hour < 21 ? "dinner" : "late";
}

/** Draws a guest for an order at a store; `wall` is the store's wall clock in milliseconds, as if in UTC. */
export function createGuests(stores: readonly StoreProfile[]): (store: number, wall: number, random: Random) => Visit {
  const known = new Map<number, Customer>();
  function customer(number: number): Customer {
    const found = known.get(number) ?? customerOf(number, stores);
    // Bounded, because an endless run has an unlimited number of guests.
    if (known.size < 50_000) known.set(number, found);
    return found;
  }
  return (store, wall, random) => {
    const channel = channelsByDaypart[daypartOf(Math.floor(wall / 3_600_000) % 24)](random);
    if (!random.chance(named[channel])) return { channel };
    const homeStore = random.chance(travelling) ? random.integer(0, stores.length - 1) : store;
    const number = guestNumber(stores[homeStore]!, homeStore, Math.floor(wall / dayMs), random.next());
    return { channel, customer: customer(number) };
  };
}
