import type { OrderEvent } from "../domain/generated/order-event.types.ts";
import { formatUtc } from "./wall-clock.ts";

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
