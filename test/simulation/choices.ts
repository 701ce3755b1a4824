import { createRandom } from "../../producer/random.ts";

/**
 * Where all chance of a history comes from: a list of numbers. A seed makes the list as it is asked for; a list can also
 * be given, and whatever lies beyond its end is 0. 0 is always the dullest choice: no fault, no switch, the least.
 */
export interface Choices {
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number;
  /** True with so many per cent. */
  chance(percent: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** What was drawn so far. */
  readonly drawn: readonly number[];
}

export function choicesOfSeed(seed: number): Choices {
  const random = createRandom("simulation", seed);
  return choicesBy((limit) => random.integer(0, limit - 1));
}

export function choicesOfList(list: readonly number[]): Choices {
  let at = 0;
  return choicesBy((limit) => (list[at++] ?? 0) % limit);
}

function choicesBy(draw: (limit: number) => number): Choices {
  const drawn: number[] = [];
  const below = (limit: number): number => {
    const value = draw(limit);
    drawn.push(value);
    return value;
  };
  return {
    below,
    chance: (percent) => below(100) >= 100 - percent,
    pick: (items) => items[below(items.length)]!,
    drawn,
  };
}
