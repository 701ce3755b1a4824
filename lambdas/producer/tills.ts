import type { Random } from "./random.ts";
import type { StoreProfile } from "./store-profile.ts";

/** One sending of a till: its name, its counter, and when (milliseconds since 1970). */
export interface Sending {
  producer_id: string;
  seq: number;
  emittedAt: number;
}

/**
 * The stores' tills: each counts its events from 1 and never sends before its own last event. `run` is added to their
 * names, so that the counters of two runs are not taken for one.
 */
export function createTills(run = ""): (store: StoreProfile, emittedAt: number, random: Random) => Sending {
  const tills = new Map<string, Sending>();
  return (store, emittedAt, random) => {
    const producer_id = `till-${store.store_id}-${random.integer(1, store.tills)}${run === "" ? "" : `-${run}`}`;
    const last = tills.get(producer_id);
    const sending = {
      producer_id,
      seq: (last?.seq ?? 0) + 1,
      emittedAt: Math.max(emittedAt, last?.emittedAt ?? 0),
    };
    tills.set(producer_id, sending);
    return sending;
  };
}
