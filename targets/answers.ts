/** A part of a pipeline that did not answer in time, or answered with an error. */
export interface NotAnswering {
  /** Such as PostgreSQL, DuckDB or the lake. */
  part: string;
  /** Since when the oldest question has waited, or the part has failed; ISO 8601. */
  since: string;
  /** Absent if the part says nothing at all. */
  error?: string;
}

/**
 * Asks a part of the pipeline, about one thing. Resolves to undefined once the deadline has passed or the question has
 * failed; the signal is aborted at the deadline.
 */
export type Ask = <Result>(
  part: string,
  about: string,
  question: (signal: AbortSignal) => Promise<Result>,
) => Promise<Result | undefined>;

/** Questions to the parts of a pipeline, each with a deadline. */
export interface Answers {
  /** Questions that may wait this long. One that still waits is not repeated: it would take one connection more. */
  within(limitMs: number): Ask;
  /** The parts without an answer to their newest question, by name. */
  notAnswering(): NotAnswering[];
}

/** Asks with deadlines, and remembers since when a part has not answered. */
export function createAnswers(clock: () => number = Date.now): Answers {
  const waiting = new Map<string, { part: string; since: number; isLate: boolean }>();
  const failed = new Map<string, { part: string; since: number; error?: string }>();

  async function ask<Result>(
    limitMs: number,
    { part, about }: { part: string; about: string },
    question: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result | undefined> {
    const key = `${part}: ${about}`;
    if (waiting.has(key)) return undefined;
    const asked = { part, since: clock(), isLate: false };
    waiting.set(key, asked);
    const deadline = new AbortController();
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => {
      asked.isLate = true;
      deadline.abort(new Error(`${part} did not answer within ${limitMs} ms`));
      late.resolve(undefined);
    }, limitMs);
    const answer = question(deadline.signal)
      .then(
        (result) => {
          failed.delete(key);
          return result;
        },
        (error: unknown) => {
          const { since } = failed.get(key) ?? asked;
          const message = error instanceof Error ? error.message : String(error);
          failed.set(key, { part, since, ...(!asked.isLate && { error: message }) });
          return undefined;
        },
      )
      .finally(() => {
        clearTimeout(timer);
        waiting.delete(key);
      });
    return await Promise.race([answer, late.promise]);
  }

  return {
    within: (limitMs) => (part, about, question) => ask(limitMs, { part, about }, question),
    notAnswering() {
      const oldest = new Map<string, { since: number; error?: string }>();
      const late = [...waiting.values()].filter(({ isLate }) => isLate).map(({ part, since }) => ({ part, since }));
      for (const { part, ...found } of [...failed.values(), ...late]) {
        if (found.since < (oldest.get(part)?.since ?? Infinity)) oldest.set(part, found);
      }
      return [...oldest]
        .map(([part, { since, ...why }]) => ({ part, since: new Date(since).toISOString(), ...why }))
        .toSorted((a, b) => (a.part < b.part ? -1 : 1));
    },
  };
}
