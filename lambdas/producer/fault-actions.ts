import type { Store } from "../domain/catalog.ts";
import type { OrderEvent } from "../domain/generated/order-event.types.ts";
import { backdate, damage, inTheFuture, otherQuantity, revise, withUnknownPizza } from "./damage.ts";
import type { FaultKind } from "./fault-kinds.ts";
import type { Numbering } from "./numbering.ts";
import { toOutgoing, type Outgoing } from "./outgoing.ts";
import type { Random } from "./random.ts";

/** What a fault may use. */
export interface FaultTools {
  random: Random;
  tills: Numbering;
  live: boolean;
  stores: ReadonlyMap<string, Store>;
  /** Sends it after some of the events that come next. */
  overtake: (outgoing: Outgoing) => void;
  /** Makes and sends it when the event's till has come `milliseconds` further; `make` learns when that is. */
  hold: (event: OrderEvent, milliseconds: number, make: (emittedAt: number) => Outgoing) => void;
}

/** Returns what goes out at once. */
type FaultAction = (event: OrderEvent, tools: FaultTools) => Outgoing[];

const minute = 60_000;
const day = 24 * 60 * minute;

/** What each fault does to an event. */
export const faultActions: Record<FaultKind, FaultAction> = {
  duplicates(event, { tills, overtake }) {
    const sent = toOutgoing(tills.number(event));
    overtake({ ...sent, fault: "duplicates" });
    return [sent];
  },
  reorder(event, { tills, overtake }) {
    overtake(toOutgoing(tills.number(event), "reorder"));
    return [];
  },
  late(event, { random, tills, live, stores, hold }) {
    const days = random.integer(1, 14);
    if (live) return [toOutgoing(tills.number(backdate(event, days, stores)), "late")];
    hold(event, days * day, (at) => toOutgoing(tills.number(event, at), "late"));
    return [];
  },
  amended: (event, tools) => sendAndRevise("amended", event, tools, [minute, 10 * minute]),
  cancelled: (event, tools) => sendAndRevise("cancelled", event, tools, [minute, 20 * minute]),
  refunded: (event, tools) => sendAndRevise("refunded", event, tools, [30 * minute, 3 * day]),
  conflict(event, { tills }) {
    const other = { ...event, lines: otherQuantity(event.lines) };
    return [toOutgoing(tills.number(event)), toOutgoing(tills.number(other), "conflict")];
  },
  malformed(event, { random, tills }) {
    // Takes no number of the till's: one that nobody can read would look like a loss.
    const bytes = damage(tills.repeat(event), random);
    return [{ producerId: event.producer.producer_id, bytes, fault: "malformed" }];
  },
  unknown_pizza: (event, { random, tills }) => [
    toOutgoing(tills.number(withUnknownPizza(event, random)), "unknown_pizza"),
  ],
  future: (event, { tills }) => [toOutgoing(tills.number(inTheFuture(event)), "future")],
  gap(event, { tills }) {
    const skipped = tills.skip(event.producer.producer_id);
    return [toOutgoing(tills.number(event), skipped ? "gap" : undefined)];
  },
};

function sendAndRevise(
  status: "amended" | "cancelled" | "refunded",
  event: OrderEvent,
  { random, tills, live, hold }: FaultTools,
  [soonest, latest]: [number, number],
): Outgoing[] {
  const revised = revise(event, status, random);
  // Nobody who watches live wants to wait for three days.
  const wait = live ? random.integer(1000, 20_000) : random.integer(soonest, latest);
  hold(event, wait, (at) => toOutgoing(tills.number(revised, at), status));
  return [toOutgoing(tills.number(event))];
}
