import type { Store } from "../domain/catalog.ts";
import type { OrderEvent } from "../domain/generated/order-event.types.ts";
import type { Random } from "./random.ts";
import { formatWall, momentOf } from "./wall-clock.ts";

/** The order again as its next revision; an amended one has another quantity or one line less. */
export function revise(event: OrderEvent, status: "amended" | "cancelled" | "refunded", random: Random): OrderEvent {
  const revised: OrderEvent = { ...event, revision: event.revision + 1, status };
  return status === "amended" ? { ...revised, lines: amendLines(event.lines, random) } : revised;
}

function amendLines(lines: OrderEvent["lines"], random: Random): OrderEvent["lines"] {
  const [, second, ...rest] = lines;
  if (second !== undefined && random.chance(0.5)) return [second, ...rest];
  return otherQuantity(lines);
}

/** The same lines, but one pizza more (or less, where no more are allowed) on the first. */
export function otherQuantity([first, ...rest]: OrderEvent["lines"]): OrderEvent["lines"] {
  return [{ ...first, quantity: first.quantity < 100 ? first.quantity + 1 : 99 }, ...rest];
}

/** The order with its first pizza replaced by one that no menu has. */
export function withUnknownPizza(event: OrderEvent, random: Random): OrderEvent {
  const [first, ...rest] = event.lines;
  return { ...event, lines: [{ ...first, pizza_id: `secret_menu_${random.integer(1, 99)}_m` }, ...rest] };
}

/** The order as a till writes it whose clock has lost the year. */
export function inTheFuture(event: OrderEvent): OrderEvent {
  // The year 2099 has no 29th of February.
  return { ...event, ordered_at: `2099${event.ordered_at.slice(4).replace(/^-02-29/, "-02-28")}` };
}

/** The order as if placed so many days earlier at the same time of the store's clock, on whatever offset held then. */
export function backdate(event: OrderEvent, days: number, stores: ReadonlyMap<string, Store>): OrderEvent {
  const store = stores.get(event.store_id);
  if (store === undefined) throw new Error(`store "${event.store_id}" is not in the list of stores; give all of them`);
  const wall = Date.parse(`${event.ordered_at.slice(0, 19)}Z`) - days * 86_400_000;
  return { ...event, ordered_at: formatWall(store.time_zone, momentOf(store.time_zone, wall)) };
}

/** Bytes that are surely no order any more: cut short, noise, broken UTF-8, or JSON that the contract refuses. */
export function damage(event: OrderEvent, random: Random): Uint8Array {
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
