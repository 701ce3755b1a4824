import type { StreamRecord } from "../../../pipeline/ports.ts";
import { type Checkpoints, openCheckpoints } from "./checkpoints.ts";
import { Stopped } from "./deliver-batch.ts";
import { createFlushes } from "./flush.ts";
import { pollShard } from "./poll-shard.ts";
import { checkedSettings, type MappingMetrics, type MappingSettings, type Settings } from "./settings.ts";
import { compareSequenceNumbers } from "../../../pipeline/domain/stream-position.ts";

export type { MappingEvent, MappingMetrics, MappingSettings } from "./settings.ts";

/** A running event source mapping. */
export interface EventSourceMapping {
  /** Waits for the calls under way and begins no other. */
  stop(): Promise<void>;
  /**
   * Resolves when every record that was in the stream at the call is landed or in the on-failure store, without waiting
   * for the window. Rejects where the mapping stops before, or a shard cannot be read.
   */
  flush(): Promise<void>;
  /** Per shard, the sequence number up to which all is landed or in the on-failure store. */
  checkpoints(): Record<string, string>;
  metrics(): MappingMetrics;
}

/**
 * Calls a function with the records of a stream as Lambda does for Kinesis: one lane per shard and all shards at once,
 * in order, parents before their children, at least once, from the checkpoint or else the oldest record.
 */
export function startEventSourceMapping(given: MappingSettings): EventSourceMapping {
  const settings = checkedSettings(given);
  const { stream, onEvent, clock } = settings;
  const checkpoints = openCheckpoints(settings.checkpointDir);
  ignoreStrangers(checkpoints, settings);

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
      onEvent({ type: "laneStarted", shard: id });
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
      onEvent({ type: "laneFinished", shard });
      startPollers();
    } catch (error) {
      if (error instanceof Stopped) return;
      onEvent({ type: "laneFailed", shard, error });
      flushes.fail(new Error(`Event source mapping: lane ${shard} failed: ${String(error)}`, { cause: error }));
    }
  }

  startPollers();
  return {
    async stop() {
      stopping.abort();
      flushes.fail(new Error("Event source mapping: stopped before it was drained; start it again"));
      await Promise.all(pollers.values());
    },
    flush: () => flushes.flush(),
    checkpoints: () => checkpoints.all(),
    metrics: () => ({ ...metrics, iteratorAgeMs: oldestBatchAge(batches.values(), clock()) }),
  };
}

/** A checkpoint of a stream that was made anew says nothing about this one: its shards are delivered from their beginning. */
function ignoreStrangers(checkpoints: Checkpoints, { stream, onEvent }: Settings): void {
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

/** In the place of a mapping where a home is only looked at: tells how far landing has come, and delivers nothing. */
export function openReadOnlyMapping(checkpointDir: string): EventSourceMapping {
  const checkpoints = openCheckpoints(checkpointDir);
  return {
    stop: async () => {},
    flush: async () => {
      throw new Error("Event source mapping: the home was opened to look only; open it to work");
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
