/** The counters of a history's tills: the numbers that events have, and those that were skipped. */
export function createTillNumbers() {
  const tills = new Map<string, { next: number; given: number[]; leftOut: number[] }>();

  const counterOf = (till: string) => {
    const counter = tills.get(till) ?? { next: 1, given: [], leftOut: [] };
    tills.set(till, counter);
    return counter;
  };

  return {
    /** The till's next number, for an event. */
    give(till: string): number {
      const counter = counterOf(till);
      counter.given.push(counter.next);
      return counter.next++;
    },
    /** Skips the till's next number. */
    leaveOut(till: string): void {
      const counter = counterOf(till);
      counter.leftOut.push(counter.next++);
    },
    /**
     * The numbers that must be missing, by till, ascending; gaps before a till's first and after its last event are
     * unknown.
     */
    neverSent(): Map<string, number[]> {
      const missing = new Map<string, number[]>();
      for (const [till, { given, leftOut }] of tills) {
        const [first = Infinity, last = -Infinity] = [given.at(0), given.at(-1)];
        const between = leftOut.filter((number) => first < number && number < last);
        if (between.length > 0) missing.set(till, between);
      }
      return missing;
    },
  };
}

export type TillNumbers = ReturnType<typeof createTillNumbers>;
