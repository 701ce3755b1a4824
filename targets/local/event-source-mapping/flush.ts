import type { StreamReader } from "../stream/stream-log.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { compareSequenceNumbers } from "../../../pipeline/domain/stream-position.ts";

/** Callers that wait for the mapping to catch up, and the signal that ends batching windows early for them. */
export interface Flushes {
  /** Aborted while a flush is pending and after a stop: shard pollers then do not wait for their batching window. */
  readonly flushing: AbortSignal;
  flush(): Promise<void>;
  /** Must be called after every checkpoint. */
  check(): void;
  /** Rejects every pending and future flush with this error. */
  fail(error: Error): void;
}

/** Tracks the flushes of one mapping. */
export function createFlushes({
  stream,
  checkpoints,
  stopping,
}: {
  stream: StreamReader;
  checkpoints: Checkpoints;
  stopping: AbortSignal;
}): Flushes {
  const waiting = new Set<{ targets: Map<string, string>; resolve: () => void; reject: (error: Error) => void }>();
  let controller = new AbortController();
  let failure: Error | undefined;
  stopping.addEventListener("abort", () => controller.abort());

  function hasReached(targets: Map<string, string>): boolean {
    return [...targets].every(([shard, target]) => {
      const checkpoint = checkpoints.get(shard);
      return checkpoint !== undefined && compareSequenceNumbers(checkpoint, target) >= 0;
    });
  }

  return {
    get flushing() {
      return controller.signal;
    },
    async flush() {
      if (failure) throw failure;
      const targets = new Map(
        stream.shards().flatMap(({ id, lastSequenceNumber: last }) => (last ? [[id, last]] : [])),
      );
      if (hasReached(targets)) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.add({ targets, resolve, reject });
      controller.abort();
      await promise;
    },
    check() {
      for (const entry of waiting) {
        if (!hasReached(entry.targets)) continue;
        waiting.delete(entry);
        entry.resolve();
      }
      if (waiting.size === 0 && controller.signal.aborted && !stopping.aborted) controller = new AbortController();
    },
    fail(error) {
      failure ??= error;
      for (const { reject } of waiting) reject(error);
      waiting.clear();
    },
  };
}
