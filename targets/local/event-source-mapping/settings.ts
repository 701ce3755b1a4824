import type { FailureCondition } from "../../../pipeline/bronze/on-failure-objects.ts";
import type { Clock, ObjectStore, StreamRecord } from "../../../pipeline/ports.ts";
import type { StreamReader } from "../stream/stream-log.ts";

/** What an event source mapping is told; the names and the meaning are Lambda's. */
export interface MappingSettings {
  /** Its own name, part of the keys in the on-failure store. */
  name?: string;
  stream: StreamReader;
  streamArn?: string;
  functionArn?: string;
  /** Folder with one small file per shard. */
  checkpointDir: string;
  /** The function. Returning means that all the records are dealt with; throwing means that none is known to be. */
  invoke: (records: StreamRecord[]) => Promise<void>;
  /** Where a batch goes, with its payload, once its attempts or its age are used up. */
  onFailure: ObjectStore;
  /** Most records in one call, 1 to 10,000. */
  batchSize: number;
  /** How long to gather a batch that is not full, 0 to 300,000 milliseconds. */
  windowMs: number;
  /** Most bytes of one call, as the JSON that Lambda would send. */
  maxBatchBytes?: number;
  /** How often a failed batch is tried again; -1 is endless. A split does not count. */
  maximumRetryAttempts: number;
  /** Records that are older are given up before the next attempt; -1 is never. */
  maximumRecordAgeMs: number;
  /** Split a failed batch in two, and each half again, until the record that fails stands alone. */
  bisectBatchOnFunctionError: boolean;
  /** A call that takes longer has failed; what it was doing may still finish later, as on Lambda. */
  timeoutMs?: number;
  clock?: Clock;
  /** Waits; ends early, without an error, on abort. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  onEvent?: (event: MappingEvent) => void;
}

export type MappingEvent =
  | { type: "landed"; shard: string; records: number; ms: number }
  | { type: "failed"; shard: string; records: number; attempt: number; error: unknown }
  | { type: "bisected"; shard: string; records: number }
  | { type: "gaveUp"; shard: string; records: number; condition: FailureCondition; key: string }
  | { type: "storageFailed"; shard: string; doing: string; error: unknown }
  | { type: "checkpointIgnored"; shard: string; sequenceNumber: string }
  | { type: "laneStarted" | "laneFinished"; shard: string }
  | { type: "laneFailed"; shard: string; error: unknown };

/** Counts since the start; `iteratorAgeMs` is the age of the newest record in the oldest batch under way, 0 at rest. */
export interface MappingMetrics {
  invocations: number;
  errors: number;
  retries: number;
  bisects: number;
  landedRecords: number;
  onFailureRecords: number;
  iteratorAgeMs: number;
}

/** Settings with every default filled in, checked once at the start. */
export type Settings = Required<Omit<MappingSettings, "timeoutMs">> & { timeoutMs: number | undefined };

/** Fills in the defaults; throws on a value that Lambda would refuse. */
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
  throw new Error(`Event source mapping: ${name} is ${value}; give a whole number from ${least} to ${most}`);
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
