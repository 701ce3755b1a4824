import type { Store } from "../pipeline/domain/catalog.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import type { Random } from "./random.ts";
import { formatUtc } from "./wall-clock.ts";

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

/** A store of `data/stores.json` with what only the invention of orders needs. */
export interface StoreProfile extends Store {
  /** Its share of the business: 1 is a store as busy as the one in the classic year. */
  weight: number;
  /** How many tills it has. */
  tills: number;
  area_code: string;
  /** First three digits of its guests' postal codes. */
  postal_prefix: string;
}

/** The tills' counters, for a stream into which events are put that the tills did not number. */
export interface Numbering {
  /** The event with its till's next number, and sent at `emittedAt` (milliseconds since 1970) if that is given. */
  number(event: OrderEvent, emittedAt?: number): OrderEvent;
  /** The event with the number that its till used last, or 0 before the first: such an event neither makes nor fills a gap. */
  repeat(event: OrderEvent): OrderEvent;
  /** Leaves a number out, unless it would be the till's first, which nobody could miss. Says whether it did. */
  skip(producerId: string): boolean;
  /** When the till sent last, milliseconds since 1970. */
  lastEmittedAt(producerId: string): number;
}

export function createNumbering(): Numbering {
  const tills = new Map<string, { seq: number; emittedAt: string }>();
  return {
    number(event, emittedAt) {
      const { producer_id } = event.producer;
      const seq = (tills.get(producer_id)?.seq ?? 0) + 1;
      const emitted_at = emittedAt === undefined ? event.emitted_at : formatUtc(emittedAt);
      tills.set(producer_id, { seq, emittedAt: emitted_at });
      return { ...event, emitted_at, producer: { producer_id, seq } };
    },
    repeat: ({ producer: { producer_id }, ...event }) => ({
      ...event,
      producer: { producer_id, seq: tills.get(producer_id)?.seq ?? 0 },
    }),
    skip(producerId) {
      const till = tills.get(producerId);
      if (till !== undefined) till.seq++;
      return till !== undefined;
    },
    lastEmittedAt: (producerId) => Date.parse(tills.get(producerId)?.emittedAt ?? "1970-01-01T00:00:00Z"),
  };
}
