import type { FailureCondition } from "../../../pipeline/bronze/on-failure-objects.ts";
import type { Clock, ObjectStore, StreamRecord } from "../../../pipeline/ports.ts";
import type { StreamReader } from "../stream/stream-log.ts";

/** Settings of an event source mapping; names and meaning are Lambda's. */
export interface MappingSettings {
  /** Name of the mapping, part of the keys in the on-failure destination. */
  name?: string;
  stream: StreamReader;
  streamArn?: string;
  functionArn?: string;
  /** Folder with one small file per shard. */
  checkpointDir: string;
  /** The function. Returning acknowledges all records; throwing acknowledges none. */
  invoke: (records: StreamRecord[]) => Promise<void>;
  /** On-failure destination: stores a discarded batch with its payload. */
  onFailure: ObjectStore;
  /** Maximum number of records per invocation, 1 to 10,000. */
  batchSize: number;
  /** Maximum batching window, 0 to 300,000 milliseconds. */
  windowMs: number;
  /** Maximum payload of an invocation, in bytes of the JSON that Lambda would send. */
  maxBatchBytes?: number;
  /** How often a failed batch is retried; -1 is infinite. A bisection does not count as a retry. */
  maximumRetryAttempts: number;
  /** Older records are discarded before the next attempt; -1 is never. */
  maximumRecordAgeMs: number;
  /** Splits a failed batch in two, recursively, until the failing record is isolated. */
  bisectBatchOnFunctionError: boolean;
  /** An invocation that takes longer has failed, although its work may still complete. */
  timeoutMs?: number;
  clock?: Clock;
  /** Resolves after `ms` or on abort. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  onEvent?: (event: MappingEvent) => void;
}

export type MappingEvent =
  | { type: "landed"; shard: string; records: number; ms: number }
  | { type: "failed"; shard: string; records: number; attempt: number; error: unknown }
  | { type: "bisected"; shard: string; records: number }
  | { type: "sentToOnFailure"; shard: string; records: number; condition: FailureCondition; key: string }
  | { type: "storageFailed"; shard: string; doing: string; error: unknown }
  | { type: "checkpointIgnored"; shard: string; sequenceNumber: string }
  | { type: "checkpointDamaged"; path: string }
  | { type: "shardStarted" | "shardFinished"; shard: string }
  | { type: "shardFailed"; shard: string; error: unknown };

/**
 * Counts since the start; `iteratorAgeMs` is the largest age of the newest record of a batch in flight, 0 if none is.
 */
export interface MappingMetrics {
  invocations: number;
  errors: number;
  retries: number;
  bisects: number;
  landedRecords: number;
  onFailureRecords: number;
  iteratorAgeMs: number;
  /** Since when a shard lands nothing, and its newest error; absent while every shard lands. */
  failing?: { since: string; error: string };
}

/** Validated settings with all defaults. */
export type Settings = Required<Omit<MappingSettings, "timeoutMs">> & { timeoutMs: number | undefined };

/** Fills in the defaults; throws on a value that Lambda would reject. */
export function checkedSettings(given: MappingSettings): Settings {
  const settings: Settings = {
    name: "landing",
    streamArn: "arn:aws:kinesis:local:000000000000:stream/orders",
    functionArn: "arn:aws:lambda:local:000000000000:function:landing",
    maxBatchBytes: 6 * 1024 * 1024,
    clock: Date.now,
    sleep: sleepUntilAborted,
    onEvent: () => undefined,
    timeoutMs: undefined,
    ...given,
  };
  within(settings, "batchSize", 1, 10_000);
  within(settings, "windowMs", 0, 300_000);
  within(settings, "maximumRetryAttempts", -1, 10_000);
  within(settings, "maximumRecordAgeMs", -1, 604_800_000);
  return settings;
}

function within(
  settings: Settings,
  name: "batchSize" | "windowMs" | "maximumRetryAttempts" | "maximumRecordAgeMs",
  least: number,
  most: number,
): void {
  const value = settings[name];
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new Error(`Event source mapping: ${name} is ${value}: give a whole number from ${least} to ${most}`);
}

async function sleepUntilAborted(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const end = () => resolve();
  signal.addEventListener("abort", end);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
}
