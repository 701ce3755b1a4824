/** Finds what is missing in the counters of the tills. */
export function createProducerLedger() {
  const seen = new Map<string, Set<number>>();
  return {
    /** Notes one event of a producer; the same number twice counts once. */
    note(producerId: string, seq: number): void {
      let numbers = seen.get(producerId);
      if (numbers === undefined) seen.set(producerId, (numbers = new Set()));
      numbers.add(seq);
    },
    get producers(): number {
      return seen.size;
    },
    /** Per producer the numbers between its lowest and its highest that never came; most producers have none. */
    gaps(): { producerId: string; missing: number; ranges: string[] }[] {
      const found = [];
      for (const [producerId, numbers] of seen) {
        const sorted = Float64Array.from(numbers).toSorted();
        const missing = sorted.at(-1)! - sorted[0]! + 1 - sorted.length;
        if (missing > 0) found.push({ producerId, missing, ranges: gapsIn(sorted) });
      }
      return found;
    },
  };
}

function gapsIn(sorted: Float64Array): string[] {
  const ranges = [];
  for (let i = 1; i < sorted.length; i++) {
    const [from, to] = [sorted[i - 1]! + 1, sorted[i]! - 1];
    if (from === to) ranges.push(`${from}`);
    else if (from < to) ranges.push(`${from}-${to}`);
  }
  return ranges;
}
