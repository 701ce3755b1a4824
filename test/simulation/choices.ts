import { createRandom } from "../../producer/random.ts";

/**
 * The source of all randomness in a history: a list of numbers. A seed generates the list on demand; a given list is
 * followed by zeros. 0 is always the simplest choice: no fault, no switch, the smallest value.
 */
export interface Choices {
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number;
  /** True with this probability, per cent. */
  chance(percent: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** The numbers drawn so far. */
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
