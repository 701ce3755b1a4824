import type { Clock } from "../pipeline/ports.ts";
import { dayMs } from "../pipeline/domain/dates.ts";

/** Resolves after so many milliseconds, or as soon as the signal aborts. */
export type Sleep = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

/** A real pause. */
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
  /** Ends the source before the next item, also in the middle of a pause. */
  signal?: AbortSignal | undefined;
}

/** Timers do not reach further. */
const longestPause = dayMs;

/** Resolves when the clock shows `due`; false where the signal came first. */
async function until(due: number, { clock = Date.now, sleep = sleepFor, signal }: Pace): Promise<boolean> {
  for (;;) {
    const wait = due - clock();
    if (signal?.aborted) return false;
    if (!(wait > 0)) return true;
    await sleep(Math.min(Math.ceil(wait), longestPause), signal);
  }
}

/**
 * Hands items out at a steady rate (items a second), each pulled from the source only when it is due; a consumer that was slow
 * gets the missed ones at once.
 */
export async function* paced<Item>(
  items: Iterable<Item>,
  { rate, ...pace }: { rate: number } & Pace,
): AsyncGenerator<Item, void, undefined> {
  if (!(rate > 0)) throw new Error(`rate ${rate}: give a number of items a second above 0`);
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
 * Hands items out so that the distance between two moments shrinks by `speed`; `momentOf` tells an item's moment, in
 * milliseconds, or NaN where it has none and goes at once.
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
