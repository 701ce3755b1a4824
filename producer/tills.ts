import type { Store } from "../pipeline/domain/catalog.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import type { Random } from "./random.ts";
import { formatUtc } from "../pipeline/domain/wall-clock.ts";

/** A till's name, sequence number and sending time (milliseconds since 1970) of one event. */
export interface Sending {
  producer_id: string;
  seq: number;
  emittedAt: number;
}

/**
 * The stores' tills: each numbers its events from 1, with non-decreasing sending times. `run` is part of their names,
 * so that sequence numbers of different runs are separate. Tills of a replay say so in their names: their orders are
 * older than their arrival, which the quality rules report of any other till.
 */
export function createTills({
  run = "",
  isReplay,
}: {
  run?: string;
  isReplay: boolean;
}): (store: StoreProfile, emittedAt: number, random: Random) => Sending {
  const [before, after] = [isReplay ? "replay:" : "", run === "" ? "" : `-${run}`];
  const tills = new Map<string, Sending>();
  return (store, emittedAt, random) => {
    const producer_id = `${before}till-${store.store_id}-${random.integer(1, store.tills)}${after}`;
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

/** A store of `data/stores.json` with the fields that only the simulation needs. */
export interface StoreProfile extends Store {
  /** How busy the store is; 1 is the store of the classic year. */
  weight: number;
  /** Number of tills. */
  tills: number;
  area_code: string;
  /** First three digits of its guests' postal codes. */
  postal_prefix: string;
}

/** Renumbers the tills' events, for a stream with inserted events. */
export interface Numbering {
  /** The event with its till's next sequence number and, if given, sent at `emittedAt` (milliseconds since 1970). */
  number(event: OrderEvent, emittedAt?: number): OrderEvent;
  /** The event with its till's last sequence number, or 0 before the first, which neither creates nor fills a gap. */
  repeat(event: OrderEvent): OrderEvent;
  /**
   * Skips a sequence number, unless it would be the till's first, whose gap is undetectable; returns whether it did.
   */
  skip(producerId: string): boolean;
  /** Last sending time of the till, milliseconds since 1970. */
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
