import type { Clock } from "../pipeline/ports.ts";
import { dayMs } from "../pipeline/domain/dates.ts";

/** Resolves after this many milliseconds, or when the signal aborts. */
export type Sleep = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

/** Sleeps with a real timer. */
export const sleepFor: Sleep = (milliseconds, signal) =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
  });

interface Pace {
  clock?: Clock;
  sleep?: Sleep;
  /** Ends the iteration before the next item, also during a pause. */
  signal?: AbortSignal | undefined;
}

/** Node's timers overflow above 2^31 - 1 ms. */
const longestPause = dayMs;

/** Resolves to true when the clock reaches `due`, to false if the signal aborts first. */
async function until(due: number, { clock = Date.now, sleep = sleepFor, signal }: Pace): Promise<boolean> {
  for (;;) {
    const wait = due - clock();
    if (signal?.aborted) return false;
    if (!(wait > 0)) return true;
    await sleep(Math.min(Math.ceil(wait), longestPause), signal);
  }
}

/**
 * Yields items at a constant rate (items per second). Pulls each item from the source only when it is due; a slow
 * consumer gets the missed ones immediately.
 */
export async function* paced<Item>(
  items: Iterable<Item>,
  { rate, ...pace }: { rate: number } & Pace,
): AsyncGenerator<Item, void, undefined> {
  if (!(rate > 0)) throw new Error(`rate ${rate}: give a number of items per second above 0`);
  const source = Iterator.from(items);
  const { clock = Date.now } = pace;
  const start = clock();
  for (let number = 0; ; number++) {
    if (!(await until(start + (number * 1000) / rate, pace))) return;
    const next = source.next();
    if (next.done === true) return;
    yield next.value;
  }
}

/**
 * Yields items with the time between them divided by `speed`; `momentOf` returns an item's time in milliseconds, or NaN
 * for an item without time, which is yielded immediately.
 */
export async function* atSpeed<Item>(
  items: Iterable<Item>,
  { speed, momentOf, ...pace }: { speed: number; momentOf: (item: Item) => number } & Pace,
): AsyncGenerator<Item, void, undefined> {
  const { clock = Date.now } = pace;
  const start = clock();
  let first: number | undefined;
  for (const item of items) {
    const moment = momentOf(item);
    first ??= Number.isNaN(moment) ? undefined : moment;
    const due = first === undefined || Number.isNaN(moment) ? start : start + (moment - first) / speed;
    if (!(await until(due, pace))) return;
    yield item;
  }
}
