import type { Store } from "../pipeline/domain/catalog.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import { toOutgoing, type Outgoing } from "./batch-builder.ts";
import { faultActions, type FaultTools } from "./fault-actions.ts";
import { checkRates, emptyTally, faultNames, type FaultKind, type FaultRates, type FaultTally } from "./fault-kinds.ts";
import { createRandom, type Random } from "./random.ts";
import { createNumbering } from "./tills.ts";

export interface FaultOptions extends FaultRates {
  seed: number;
  /** All stores: their time zones determine a late order's wall clock. */
  stores: readonly Store[];
  /**
   * True if the events are created while they are sent: revisions then follow within seconds, and a late order has an
   * `ordered_at` days in the past. Otherwise a late order is delayed by days of event time.
   */
  live?: boolean;
}

/** The events to send, iterable once, and a tally of the faults of those already returned. */
export interface FaultyStream extends Iterable<Outgoing> {
  tally: FaultTally;
}

/** Creates a delayed event at the time it is sent. */
type Delayed = (emittedAt: number) => Outgoing;

/**
 * Injects faults into some of the events, chosen by the seed, and renumbers each till's events, because revisions are
 * added. A revision is sent in chronological order among its till's events; events still delayed at the end are sent
 * last.
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
  const delayed = new Map<string, DelayQueue<Delayed>>();
  let passed = 0;
  const tools: FaultTools = {
    random,
    tills,
    live: options.live ?? false,
    stores: new Map(options.stores.map((store) => [store.store_id, store])),
    // Half of them within a batch, half across batches.
    overtake: (outgoing) => overtaken.add(passed + random.integer(1, random.chance(0.5) ? 5 : 3000), outgoing),
    delayQueue: (event, wait, make) => delay(delayed, event, wait, make),
  };
  for (const event of events) {
    const now = Date.parse(event.emitted_at);
    for (const make of delayed.get(event.producer.producer_id)?.take(now) ?? []) yield make(now);
    const kind = chooseKind(options, random);
    yield* kind === undefined ? [toOutgoing(tills.number(event))] : faultActions[kind](event, tools);
    yield* overtaken.take(passed++);
  }
  yield* overtaken.take(Number.POSITIVE_INFINITY);
  for (const [till, queue] of delayed) {
    for (const make of queue.take(Number.POSITIVE_INFINITY)) yield make(tills.lastEmittedAt(till) + 1);
  }
}

/** Each till has its own queue, because the tills' clocks are independent. */
function delay(delayed: Map<string, DelayQueue<Delayed>>, event: OrderEvent, wait: number, make: Delayed): void {
  const { producer_id } = event.producer;
  const queue = delayed.get(producer_id) ?? createDelayQueue<Delayed>();
  delayed.set(producer_id, queue);
  const due = Date.parse(event.emitted_at) + wait;
  queue.add(due, (now) => make(Math.min(due, now)));
}

function chooseKind(rates: FaultRates, random: Random): FaultKind | undefined {
  let at = random.next();
  return faultNames.find((kind) => (at -= rates[kind] ?? 0) < 0);
}

/** Items ordered by due value, first in, first out among equal ones. */
interface DelayQueue<Item> {
  add(due: number, item: Item): void;
  /** Removes and returns the items due by `now`. */
  take(now: number): Item[];
}

export function createDelayQueue<Item>(): DelayQueue<Item> {
  const items: { due: number; item: Item }[] = [];
  return {
    add(due, item) {
      items.splice(firstAfter(items, due), 0, { due, item });
    },
    take(now) {
      if (items.length === 0 || items[0]!.due > now) return [];
      return items.splice(0, firstAfter(items, now)).map((entry) => entry.item);
    },
  };
}

function firstAfter(items: readonly { due: number }[], due: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (items[middle]!.due <= due) low = middle + 1;
    else high = middle;
  }
  return low;
}
