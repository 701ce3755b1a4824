/** Seeded random numbers from 32-bit integer arithmetic only, so a seed gives the same bytes on every machine. */
export interface Random {
  /** A float from 0 (inclusive) to 1 (exclusive). */
  next(): number;
  /** An integer, both ends inclusive. */
  integer(from: number, to: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** One of the items, of which there must be at least one. */
  pick<Item>(items: readonly Item[]): Item;
  /** A shuffled copy. */
  shuffle<Item>(items: readonly Item[]): Item[];
  /** Approximately normal with mean 0 and standard deviation 1, within -6 to 6. */
  bell(): number;
}

/** An sfc32 generator for a seed; its parts are separated, so `("a", 1)` differs from `("a1")`. */
export function createRandom(...seed: (string | number)[]): Random {
  const text = seed.join("\u001f");
  let a = hash32(`a${text}`);
  let b = hash32(`b${text}`);
  let c = hash32(`c${text}`);
  let counter = 1;
  function next(): number {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 0x1_0000_0000;
  }
  for (let round = 0; round < 12; round++) next();
  return withHelpers(next);
}

function withHelpers(next: () => number): Random {
  const integer = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: (items) => items[integer(0, items.length - 1)]!,
    shuffle(items) {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = integer(0, last);
        [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
      }
      return shuffled;
    },
    bell() {
      // A sum of twelve uniform numbers: logarithms and cosines may differ in the last bit between machines.
      let sum = -6;
      for (let i = 0; i < 12; i++) sum += next();
      return sum;
    },
  };
}

/** A weighted choice: the weights need not add up to 1, but at least one must be above 0. */
export function createChoice<Item>(weighted: Iterable<readonly [Item, number]>): (random: Random) => Item {
  let total = 0;
  const bounds = [...weighted]
    .filter(([, weight]) => weight > 0)
    .map(([item, weight]) => ({ item, bound: (total += weight) }));
  const last = bounds.at(-1);
  if (last === undefined) throw new Error("choice: no weight is above 0: give at least one");
  return (random) => {
    const at = random.next() * total;
    return (bounds.find(({ bound }) => at < bound) ?? last).item;
  };
}

/** Unsigned 32-bit hash of a text: FNV-1a with murmur's finaliser, so that every bit is well distributed. */
export function hash32(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
