import type { Store } from "../pipeline/domain/catalog.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import { toOutgoing, type Outgoing } from "./batch-builder.ts";
import { faultActions, type FaultTools } from "./fault-actions.ts";
import { checkRates, emptyTally, faultNames, type FaultKind, type FaultRates, type FaultTally } from "./fault-kinds.ts";
import { createRandom, type Random } from "./random.ts";
import { createNumbering } from "./tills.ts";

export interface FaultOptions extends FaultRates {
  seed: number;
  /** The stores' time zones decide what a late order's clock showed. */
  stores: readonly Store[];
  /**
   * True where the events are placed as they pass: revisions then follow within seconds, and a late order is one whose
   * `ordered_at` lies days back. Otherwise a late order is held back for days of the events' own time.
   */
  live?: boolean;
}

/** The events as they go out, to be read once, and a count of what was done to those that have gone out so far. */
export interface FaultyStream extends Iterable<Outgoing> {
  tally: FaultTally;
}

type Held = (emittedAt: number) => Outgoing;

/**
 * Lets faults befall some of the events, chosen by the seed, and numbers each till's events anew, since revisions add to
 * them. A revision goes out chronologically among its till's events; whatever is held longest goes out at the end.
 */
export function withFaults(events: Iterable<OrderEvent>, options: FaultOptions): FaultyStream {
  checkRates(options);
  const tally = emptyTally();
  return {
    tally,
    *[Symbol.iterator]() {
      for (const outgoing of inject(events, options)) {
        if (outgoing.fault !== undefined) tally[outgoing.fault]++;
        yield outgoing;
      }
    },
  };
}

function* inject(events: Iterable<OrderEvent>, options: FaultOptions): Generator<Outgoing, void, undefined> {
  const random = createRandom("faults", options.seed);
  const tills = createNumbering();
  const overtaken = createDelayQueue<Outgoing>();
  const held = new Map<string, Hold<Held>>();
  let passed = 0;
  const tools: FaultTools = {
    random,
    tills,
    live: options.live ?? false,
    stores: new Map(options.stores.map((store) => [store.store_id, store])),
    // Half of them within a batch, half of them across batches.
    overtake: (outgoing) => overtaken.add(passed + random.integer(1, random.chance(0.5) ? 5 : 3000), outgoing),
    delayQueue: (event, wait, make) => holdBack(held, event, wait, make),
  };
  for (const event of events) {
    const now = Date.parse(event.emitted_at);
    for (const make of held.get(event.producer.producer_id)?.take(now) ?? []) yield make(now);
    const kind = chooseKind(options, random);
    yield* kind === undefined ? [toOutgoing(tills.number(event))] : faultActions[kind](event, tools);
    yield* overtaken.take(passed++);
  }
  yield* overtaken.take(Number.POSITIVE_INFINITY);
  for (const [till, queue] of held) {
    for (const make of queue.take(Number.POSITIVE_INFINITY)) yield make(tills.lastEmittedAt(till) + 1);
  }
}

/** Each till has a queue of its own: the clocks of stores in different zones have nothing to say about each other. */
function holdBack(held: Map<string, Hold<Held>>, event: OrderEvent, wait: number, make: Held): void {
  const { producer_id } = event.producer;
  const queue = held.get(producer_id) ?? createDelayQueue<Held>();
  held.set(producer_id, queue);
  const due = Date.parse(event.emitted_at) + wait;
  queue.add(due, (now) => make(Math.min(due, now)));
}

function chooseKind(rates: FaultRates, random: Random): FaultKind | undefined {
  let at = random.next();
  return faultNames.find((kind) => (at -= rates[kind] ?? 0) < 0);
}

/** Things held back until they are due, handed out in the order of their due value; equal ones first come, first served. */
interface Hold<Item> {
  add(due: number, item: Item): void;
  /** Takes out what is due by now. */
  take(now: number): Item[];
}

export function createDelayQueue<Item>(): Hold<Item> {
  const held: { due: number; item: Item }[] = [];
  return {
    add(due, item) {
      held.splice(firstAfter(held, due), 0, { due, item });
    },
    take(now) {
      if (held.length === 0 || held[0]!.due > now) return [];
      return held.splice(0, firstAfter(held, now)).map((entry) => entry.item);
    },
  };
}

function firstAfter(held: readonly { due: number }[], due: number): number {
  let low = 0;
  let high = held.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (held[middle]!.due <= due) low = middle + 1;
    else high = middle;
  }
  return low;
}
