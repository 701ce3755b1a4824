import type { Store } from "../pipeline/domain/catalog.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import { toOutgoing, type Outgoing } from "./batch-builder.ts";
import type { FaultKind } from "./fault-kinds.ts";
import type { Random } from "./random.ts";
import type { Numbering } from "./tills.ts";
import { formatWall, momentOf } from "../pipeline/domain/wall-clock.ts";
import { dayMs } from "../pipeline/domain/dates.ts";

/** Context of a fault. */
export interface FaultTools {
  random: Random;
  tills: Numbering;
  live: boolean;
  stores: ReadonlyMap<string, Store>;
  /** Sends the event after some of the following events. */
  overtake: (outgoing: Outgoing) => void;
  /** Creates and sends an event once its till's clock is `milliseconds` further; `make` receives that time. */
  delayQueue: (event: OrderEvent, milliseconds: number, make: (emittedAt: number) => Outgoing) => void;
}

/** Returns the events to send immediately. */
type FaultAction = (event: OrderEvent, tools: FaultTools) => Outgoing[];

const minute = 60_000;
const day = 24 * 60 * minute;

/** Implementation of each fault. */
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
  late(event, { random, tills, live, stores, delayQueue }) {
    const days = random.integer(1, 14);
    if (live) return [toOutgoing(tills.number(backdate(event, days, stores)), "late")];
    delayQueue(event, days * day, (at) => toOutgoing(tills.number(event, at), "late"));
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
    // Uses no sequence number: an unreadable one would appear as a gap.
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
  { random, tills, live, delayQueue }: FaultTools,
  [soonest, latest]: [number, number],
): Outgoing[] {
  const revised = revise(event, status, random);
  // Live runs use short delays, so that revisions can be observed.
  const wait = live ? random.integer(1000, 20_000) : random.integer(soonest, latest);
  delayQueue(event, wait, (at) => toOutgoing(tills.number(revised, at), status));
  return [toOutgoing(tills.number(event))];
}

/** The next revision of the order; an amended one has another quantity or one line less. */
function revise(event: OrderEvent, status: "amended" | "cancelled" | "refunded", random: Random): OrderEvent {
  const revised: OrderEvent = { ...event, revision: event.revision + 1, status };
  return status === "amended" ? { ...revised, lines: amendLines(event.lines, random) } : revised;
}

function amendLines(lines: OrderEvent["lines"], random: Random): OrderEvent["lines"] {
  const [, second, ...rest] = lines;
  if (second !== undefined && random.chance(0.5)) return [second, ...rest];
  return otherQuantity(lines);
}

/** The same lines with one more pizza on the first (or one less at the maximum). */
function otherQuantity([first, ...rest]: OrderEvent["lines"]): OrderEvent["lines"] {
  return [{ ...first, quantity: first.quantity < 100 ? first.quantity + 1 : 99 }, ...rest];
}

/** The order with its first pizza replaced by one that is on no menu. */
function withUnknownPizza(event: OrderEvent, random: Random): OrderEvent {
  const [first, ...rest] = event.lines;
  return { ...event, lines: [{ ...first, pizza_id: `secret_menu_${random.integer(1, 99)}_m` }, ...rest] };
}

/** The order with the year 2099, as from a till with a wrong clock. */
function inTheFuture(event: OrderEvent): OrderEvent {
  // The year 2099 has no 29th of February.
  return { ...event, ordered_at: `2099${event.ordered_at.slice(4).replace(/^-02-29/, "-02-28")}` };
}

/** The order placed this many days earlier at the same wall clock time, with the UTC offset of that day. */
function backdate(event: OrderEvent, days: number, stores: ReadonlyMap<string, Store>): OrderEvent {
  const store = stores.get(event.store_id);
  if (store === undefined) throw new Error(`store "${event.store_id}" is not in the list of stores: pass all stores`);
  const wall = Date.parse(`${event.ordered_at.slice(0, 19)}Z`) - days * dayMs;
  return { ...event, ordered_at: formatWall(store.time_zone, momentOf(store.time_zone, wall)) };
}

/** Bytes that are not a valid order: truncated, noise, invalid UTF-8, or JSON that violates the contract. */
function damage(event: OrderEvent, random: Random): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(event));
  const kinds: (() => Uint8Array)[] = [
    () => bytes.subarray(0, random.integer(1, bytes.length - 1)),
    () => Buffer.from(bytes.map((byte, index) => (index === 40 ? 0xff : byte))),
    () =>
      Buffer.from(Array.from({ length: random.integer(2, 80) }, (_, i) => (i === 0 ? 0x0a : random.integer(128, 255)))),
    () => Buffer.from(JSON.stringify({ ...event, lines: undefined })),
    () => Buffer.from(JSON.stringify({ ...event, total: 1.5 })),
    () => Buffer.from(JSON.stringify({ ...event, channel: "pigeon" })),
    () => Buffer.from(JSON.stringify({ ...event, order_id: 7 })),
    () => Buffer.from("\n"),
  ];
  return random.pick(kinds)();
}
