import { choicesOfList } from "./choices.ts";
import { runHistory, type Laboratory, type Outcome } from "./history.ts";
import type { Planted } from "./pipeline.ts";

const chunks = [64, 16, 8, 4, 2, 1];

/**
 * Searches for the shortest history that violates the same invariant: removes choices and replaces others by zero while
 * it is still violated. Returns the last such history, with its trace.
 */
export async function shrink(
  failed: Outcome,
  laboratory: Laboratory,
  { mostRuns = 600, ...options }: { mostRuns?: number; planted?: Planted } = {},
): Promise<Outcome> {
  const invariant = invariantOf(failed);
  let best = failed;
  let runs = 0;

  async function takes(list: readonly number[]): Promise<boolean> {
    if (runs++ >= mostRuns) return false;
    const outcome = await runHistory(choicesOfList(list), laboratory, { ...options, isTraced: true });
    if (invariantOf(outcome) !== invariant || !isShorter(outcome, best)) return false;
    best = outcome;
    return true;
  }

  /** Replaces the end of the list by zeros: first half of it, then smaller and smaller parts. */
  async function cutEnd(): Promise<void> {
    for (let share = 0.5; share < 0.99; share += (1 - share) / 2) {
      const list = trimmed(best);
      if (await takes(list.slice(0, Math.floor(list.length * share)))) share = 0;
    }
  }

  let before: Outcome;
  do {
    before = best;
    await cutEnd();
    for (const size of chunks) {
      for (let at = Math.max(0, best.drawn.length - size); at >= 0; at -= size) {
        const list = trimmed(best);
        const end = at + size;
        if (at >= list.length) continue;
        const dull = list.map((value, index) => (index >= at && index < end ? 0 : value));
        if (dull.some((value, index) => value !== list[index]) && (await takes(dull))) continue;
        await takes([...list.slice(0, at), ...list.slice(end)]);
      }
    }
  } while (best !== before && runs < mostRuns);
  return best;
}

/** The violated invariant: the text before the colon of the first violation. */
function invariantOf({ violations }: Outcome): string | undefined {
  return violations[0]?.split(":")[0];
}

/** The drawn numbers, without trailing zeros. */
function trimmed({ drawn }: Outcome): number[] {
  return drawn.slice(0, drawn.findLastIndex((value) => value !== 0) + 1);
}

function isShorter(outcome: Outcome, than: Outcome): boolean {
  const [ours, theirs] = [outcome, than].map((other) => [other.steps, trimmed(other).length, sumOf(other.drawn)]);
  const differing = ours!.findIndex((value, index) => value !== theirs![index]);
  return differing >= 0 && ours![differing]! < theirs![differing]!;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
