/** Those who wait for a record that is not there yet. */
export interface Waiters {
  /** True once `release` passes the ordinal; false on timeout, abort or `releaseAll`. */
  wait(ordinal: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean>;
  /** Lets go, with true, of all who wait for an ordinal below `nextOrdinal`. */
  release(nextOrdinal: number): void;
  /** Lets go, with false, of all. */
  releaseAll(): void;
}

/** Makes an empty set of waiters; nothing of a wait that is over stays behind. */
export function createWaiters(): Waiters {
  const waiting = new Set<{ ordinal: number; settle: (arrived: boolean) => void }>();

  return {
    async wait(ordinal, timeoutMs, signal) {
      if (signal?.aborted) return false;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const entry = { ordinal, settle: resolve };
      const giveUp = () => resolve(false);
      const timer = setTimeout(giveUp, timeoutMs);
      signal?.addEventListener("abort", giveUp);
      waiting.add(entry);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
        waiting.delete(entry);
      }
    },
    release(nextOrdinal) {
      for (const { ordinal, settle } of waiting) if (ordinal < nextOrdinal) settle(true);
    },
    releaseAll() {
      for (const { settle } of waiting) settle(false);
    },
  };
}
