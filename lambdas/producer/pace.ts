import type { Clock } from "../ports.ts";

/** Resolves after so many milliseconds. */
export type Sleep = (milliseconds: number) => Promise<void>;

/** A real pause. */
export const sleepFor: Sleep = (milliseconds) =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/**
 * Hands items out at a steady rate (items a second), each pulled from the source only when it is due; a consumer that was slow
 * gets the missed ones at once.
 */
export async function* paced<Item>(
  items: Iterable<Item>,
  { rate, clock = Date.now, sleep = sleepFor }: { rate: number; clock?: Clock; sleep?: Sleep },
): AsyncGenerator<Item, void, undefined> {
  if (!(rate > 0)) throw new Error(`rate ${rate}: give a number of items a second above 0`);
  const source = Iterator.from(items);
  const start = clock();
  for (let number = 0; ; number++) {
    const wait = start + (number * 1000) / rate - clock();
    if (wait > 0) await sleep(Math.ceil(wait));
    const next = source.next();
    if (next.done === true) return;
    yield next.value;
  }
}
