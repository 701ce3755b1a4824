import type { Pizza } from "../pipeline/domain/catalog.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import type { Clock } from "../pipeline/ports.ts";
import { createBaskets } from "./baskets.ts";
import { createGuests } from "./customers.ts";
import { makeOrder } from "./make-order.ts";
import { createStoreChoice, orderTimes, type OrderTime } from "./order-times.ts";
import type { Patterns } from "./patterns.ts";
import { createRandom, type Random } from "./random.ts";
import { createTills, type StoreProfile } from "./tills.ts";
import { formatStamp, wallOf } from "../pipeline/domain/wall-clock.ts";

export interface SimulatorOptions {
  /** A non-negative integer; runs with different seeds never share an order id. */
  seed: number;
  menu: readonly Pizza[];
  /** All stores of `data/stores.json` or the first of them. */
  stores: readonly StoreProfile[];
  patterns: Patterns;
  /** Number of orders; default endless. */
  orders?: number;
  /** Start of historical orders (milliseconds since 1970). Without it, each order is placed when it is pulled. */
  startAt?: number;
  clock?: Clock;
}

/**
 * Simulates orders with the classic year's patterns, in chronological order and with ascending ids. Live orders have
 * the time at which they are pulled, so `paced` determines their rate; historical orders are a pure function of seed
 * and start. Order ids (`20261123-104512-<seed>.<start>-00000042`) and till names contain the run's name, so runs do
 * not collide.
 */
export function* simulateOrders(options: SimulatorOptions): Generator<OrderEvent, void, undefined> {
  const { seed, menu, stores, patterns, orders = Number.POSITIVE_INFINITY, startAt, clock = Date.now } = options;
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`seed ${seed}: give a non-negative whole number`);
  if (stores.length === 0) throw new Error("stores: give at least one");
  const run = `${seed.toString(36)}.${(startAt ?? clock()).toString(36)}`;
  const random = createRandom("orders", seed);
  const times = startAt === undefined ? liveTimes(options, random) : orderTimes({ seed, stores, patterns, startAt });
  const basketAt = createBaskets(patterns, menu);
  const guestAt = createGuests(stores);
  const send = createTills({ run, isReplay: startAt !== undefined });
  for (let number = 1; number <= orders; number++) {
    const { store: index, orderedAt } = times.next().value;
    const store = stores[index]!;
    const wall = wallOf(store.time_zone, orderedAt);
    yield makeOrder({
      orderId: `${formatStamp(orderedAt)}-${run}-${String(number).padStart(8, "0")}`,
      store,
      orderedAt,
      guest: guestAt(index, wall, random),
      basket: basketAt(wall, random),
      sending: send(store, startAt === undefined ? clock() : orderedAt + random.integer(1000, 3000), random),
    });
  }
}

/** A till sends one to three seconds after the order was placed; order times never decrease. */
function* liveTimes(
  { stores, patterns, clock = Date.now }: SimulatorOptions,
  random: Random,
): Generator<OrderTime, never, undefined> {
  const chooseStore = createStoreChoice(stores, patterns);
  let last = 0;
  while (true) {
    const now = clock();
    last = Math.max(last, now - random.integer(1000, 3000));
    yield { store: chooseStore(now, random), orderedAt: last };
  }
}
