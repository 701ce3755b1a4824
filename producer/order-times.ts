import { dayFactor, weekdayOf, type Patterns } from "./patterns.ts";
import { createChoice, createRandom, type Random } from "./random.ts";
import type { StoreProfile } from "./tills.ts";
import { momentOf, wallOf } from "../pipeline/domain/wall-clock.ts";

const hour = 3_600_000;
const day = 24 * hour;
/** Added to every weight, so that live orders are possible while all stores are closed. */
const atNight = 1e-5;

/** Store and time of an order. */
export interface OrderTime {
  /** Index of the store in the list. */
  store: number;
  /** Milliseconds since 1970. */
  orderedAt: number;
}

/** Endless, chronological order times of all stores from `startAt` on, with the frequencies of the patterns. */
export function* orderTimes({
  seed,
  stores,
  patterns,
  startAt,
}: {
  seed: number;
  stores: readonly StoreProfile[];
  patterns: Patterns;
  startAt: number;
}): Generator<OrderTime, never, undefined> {
  const sources = stores.map((store) =>
    storeTimes(store, patterns, startAt, createRandom("times", seed, store.store_id)),
  );
  const heads = sources.map((source) => source.next().value);
  while (true) {
    let store = 0;
    for (let other = 1; other < heads.length; other++) if (heads[other]! < heads[store]!) store = other;
    yield { store, orderedAt: heads[store]! };
    heads[store] = sources[store]!.next().value;
  }
}

function* storeTimes(
  store: StoreProfile,
  patterns: Patterns,
  startAt: number,
  random: Random,
): Generator<number, never, undefined> {
  const hours = new Map(
    Object.entries(patterns.hour_weights).map(([weekday, weights]) => [weekday, createChoice(Object.entries(weights))]),
  );
  for (let midnight = Math.floor(wallOf(store.time_zone, startAt) / day) * day; ; midnight += day) {
    const mean = patterns.orders_per_day * store.weight * dayFactor(patterns, midnight);
    const count = Math.max(0, Math.round(mean * (1 + patterns.relative_spread * random.bell())));
    const chooseHour = hours.get(weekdayOf(midnight))!;
    const walls = Float64Array.from(
      { length: count },
      () => midnight + Number(chooseHour(random)) * hour + random.integer(0, 3599) * 1000,
    ).toSorted();
    for (const wall of walls) {
      const orderedAt = momentOf(store.time_zone, wall);
      if (orderedAt >= startAt) yield orderedAt;
    }
  }
}

/** Chooses the store of a live order, weighted by how busy each store is at its local hour. */
export function createStoreChoice(
  stores: readonly StoreProfile[],
  patterns: Patterns,
): (at: number, random: Random) => number {
  let minute = -1;
  let choose: (random: Random) => number;
  return (at, random) => {
    if (Math.floor(at / 60_000) !== minute) {
      minute = Math.floor(at / 60_000);
      choose = createChoice(stores.map((store, index): [number, number] => [index, attraction(store, patterns, at)]));
    }
    return choose(random);
  };
}

function attraction(store: StoreProfile, patterns: Patterns, at: number): number {
  const wall = wallOf(store.time_zone, at);
  const share = patterns.hour_weights[weekdayOf(wall)]?.[Math.floor(wall / hour) % 24] ?? 0;
  return store.weight * (share + atNight);
}
