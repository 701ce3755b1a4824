import type { StreamRecord } from "../../../pipeline/ports.ts";
import { openCheckpoints, type Checkpoints } from "./checkpoints.ts";
import { Stopped } from "./deliver-batch.ts";
import { createFlushes } from "./flush.ts";
import { pollShard } from "./poll-shard.ts";
import {
  checkedSettings,
  type MappingEvent,
  type MappingMetrics,
  type MappingSettings,
  type Settings,
} from "./settings.ts";
import { errorMessage } from "../../../pipeline/domain/errors.ts";
import { compareSequenceNumbers } from "../../../pipeline/domain/stream-position.ts";

export type { MappingEvent, MappingMetrics, MappingSettings } from "./settings.ts";

/** A running event source mapping. */
export interface EventSourceMapping {
  /** Waits for running invocations and starts no new ones. */
  stop(): Promise<void>;
  /**
   * Resolves when every record that is now in the stream has landed or reached the on-failure destination, without
   * waiting for the batching window. Rejects if the mapping stops first or a shard cannot be read.
   */
  flush(): Promise<void>;
  /** Per shard, the sequence number up to which every record has landed or reached the on-failure destination. */
  checkpoints(): Record<string, string>;
  metrics(): MappingMetrics;
}

/**
 * Invokes a function with the records of a stream, with Lambda's semantics for Kinesis: one poller per shard, shards in
 * parallel, in order within a shard, parent shards before their children, at least once, starting at the checkpoint or
 * else at TRIM_HORIZON.
 */
export function startEventSourceMapping(given: MappingSettings): EventSourceMapping {
  const failures = createFailures(given.clock ?? Date.now);
  const settings = checkedSettings({
    ...given,
    onEvent: (event) => {
      failures.note(event);
      given.onEvent?.(event);
    },
  });
  const { stream, onEvent, clock } = settings;
  const checkpoints = openCheckpoints(settings.checkpointDir, (path) => onEvent({ type: "checkpointDamaged", path }));
  forgetForeignCheckpoints(checkpoints, settings);

  const stopping = new AbortController();
  const metrics = {
    invocations: 0,
    errors: 0,
    retries: 0,
    bisects: 0,
    landedRecords: 0,
    onFailureRecords: 0,
    iteratorAgeMs: 0,
  };
  const batches = new Map<string, readonly StreamRecord[]>();
  const pollers = new Map<string, Promise<void>>();
  const finished = new Set<string>();
  const flushes = createFlushes({ stream, checkpoints, stopping: stopping.signal });

  function startPollers(): void {
    if (stopping.signal.aborted) return;
    for (const { id, parents } of stream.shards()) {
      if (pollers.has(id) || !parents.every((parent) => finished.has(parent))) continue;
      onEvent({ type: "shardStarted", shard: id });
      pollers.set(id, followShard(id));
    }
  }

  async function followShard(shard: string): Promise<void> {
    try {
      await pollShard({
        shard,
        checkpoints,
        delivery: { settings, metrics, stopping: stopping.signal },
        flushing: () => flushes.flushing,
        onProgress: () => flushes.check(),
        onBatch: (batch) => (batch ? batches.set(shard, batch) : batches.delete(shard)),
      });
      if (stopping.signal.aborted) return;
      finished.add(shard);
      onEvent({ type: "shardFinished", shard });
      startPollers();
    } catch (error) {
      if (error instanceof Stopped) return;
      onEvent({ type: "shardFailed", shard, error });
      flushes.fail(new Error(`Event source mapping: shard ${shard} failed: ${String(error)}`, { cause: error }));
    }
  }

  startPollers();
  return {
    async stop() {
      stopping.abort();
      flushes.fail(new Error("Event source mapping: stopped before the flush completed: start it again"));
      await Promise.all(pollers.values());
    },
    flush: () => flushes.flush(),
    checkpoints: () => checkpoints.all(),
    metrics: () => ({
      ...metrics,
      iteratorAgeMs: oldestBatchAge(batches.values(), clock()),
      ...failures.oldest(),
    }),
  };
}

/**
 * Drops checkpoints of an earlier stream in the same folder, so that this stream's shards are delivered from their
 * start.
 */
function forgetForeignCheckpoints(checkpoints: Checkpoints, { stream, onEvent }: Settings): void {
  const shards = new Map(stream.shards().map((shard) => [shard.id, shard]));
  for (const [shard, sequenceNumber] of Object.entries(checkpoints.all())) {
    const { firstSequenceNumber: first, lastSequenceNumber: last } = shards.get(shard) ?? {};
    const isBefore = first === undefined || compareSequenceNumbers(sequenceNumber, first) < 0;
    const isBehind = last === undefined || compareSequenceNumbers(sequenceNumber, last) > 0;
    if (!isBefore && !isBehind) continue;
    checkpoints.forget(shard);
    onEvent({ type: "checkpointIgnored", shard, sequenceNumber });
  }
}

function oldestBatchAge(batches: Iterable<readonly StreamRecord[]>, now: number): number {
  let age = 0;
  for (const batch of batches) age = Math.max(age, now - (batch.at(-1)?.arrivedAt ?? now));
  return age;
}

/** Remembers since when each shard lands nothing. */
function createFailures(clock: () => number) {
  const failing = new Map<string, { since: number; error: string }>();
  return {
    note(event: MappingEvent): void {
      if (event.type === "landed" || event.type === "sentToOnFailure") failing.delete(event.shard);
      if (event.type !== "failed" && event.type !== "storageFailed" && event.type !== "shardFailed") return;
      const { since = clock() } = failing.get(event.shard) ?? {};
      failing.set(event.shard, { since, error: errorMessage(event.error) });
    },
    oldest(): Pick<MappingMetrics, "failing"> {
      const [first] = [...failing.values()].toSorted((a, b) => a.since - b.since);
      if (first === undefined) return {};
      return { failing: { since: new Date(first.since).toISOString(), error: first.error } };
    },
  };
}

/** The mapping of a pipeline opened read-only: reports the checkpoints and delivers nothing. */
export function openReadOnlyMapping(checkpointDir: string): EventSourceMapping {
  const checkpoints = openCheckpoints(checkpointDir);
  return {
    stop: async () => {},
    flush: async () => {
      throw new Error("Event source mapping: the pipeline is open read-only: open it read-write to flush");
    },
    checkpoints: () => checkpoints.all(),
    metrics: () => ({
      invocations: 0,
      errors: 0,
      retries: 0,
      bisects: 0,
      landedRecords: 0,
      onFailureRecords: 0,
      iteratorAgeMs: 0,
    }),
  };
}
