import { encodeFailedBatch, type FailureCondition } from "../../../pipeline/bronze/on-failure-objects.ts";
import type { StreamRecord } from "../../../pipeline/ports.ts";
import type { MappingMetrics, Settings } from "./settings.ts";

const firstBackoffMs = 100;
const longestBackoffMs = 30_000;

/** Context of a delivery. */
export interface Delivery {
  settings: Settings;
  metrics: MappingMetrics;
  /** Aborted by a stop: no invocation starts after it. */
  stopping: AbortSignal;
  /** Called, in order, with the last record of each part that has landed or reached the on-failure destination. */
  settle: (last: StreamRecord) => Promise<void>;
}

/** Thrown when a stop ends a delivery; records not yet settled are delivered again after the next start. */
export class Stopped extends Error {}

/** Delivers every record of a batch, in order, to the function or to the on-failure destination, and settles it. */
export async function deliverBatch(batch: readonly StreamRecord[], delivery: Delivery): Promise<void> {
  const { settings, metrics, stopping } = delivery;
  let records = batch;
  let lastError: unknown;
  for (let attempt = 0; ; attempt += 1) {
    records = await discardOld(records, attempt, lastError, delivery);
    const last = records.at(-1);
    if (!last) return;
    if (stopping.aborted) throw new Stopped();
    const failure = await invokeOnce(records, attempt, delivery);
    if (!failure) return await delivery.settle(last);
    lastError = failure.error;
    if (settings.bisectBatchOnFunctionError && records.length > 1) return await deliverHalves(records, delivery);
    if (settings.maximumRetryAttempts >= 0 && attempt >= settings.maximumRetryAttempts) {
      return await discard(records, "RetryAttemptsExhausted", attempt + 1, lastError, delivery);
    }
    await settings.sleep(backoffMs(attempt), stopping);
    metrics.retries += 1;
  }
}

/** Invokes the function; undefined means success. */
async function invokeOnce(
  records: readonly StreamRecord[],
  attempt: number,
  { settings, metrics }: Delivery,
): Promise<{ error: unknown } | undefined> {
  const started = performance.now();
  const about = { shard: records[0]?.shard ?? "", records: records.length };
  metrics.invocations += 1;
  try {
    await withTimeout(settings.invoke([...records]), settings.timeoutMs);
  } catch (error) {
    metrics.errors += 1;
    settings.onEvent({ type: "failed", ...about, attempt, error });
    return { error };
  }
  metrics.landedRecords += records.length;
  settings.onEvent({ type: "landed", ...about, ms: performance.now() - started });
  return undefined;
}

async function deliverHalves(records: readonly StreamRecord[], delivery: Delivery): Promise<void> {
  const { settings, metrics } = delivery;
  metrics.bisects += 1;
  settings.onEvent({ type: "bisected", shard: records[0]?.shard ?? "", records: records.length });
  const middle = Math.ceil(records.length / 2);
  await deliverBatch(records.slice(0, middle), delivery);
  await deliverBatch(records.slice(middle), delivery);
}

/**
 * Discards the leading records that exceed the maximum record age and returns the others. Arrival times never decrease
 * within a shard.
 */
async function discardOld(
  records: readonly StreamRecord[],
  invokeCount: number,
  error: unknown,
  delivery: Delivery,
): Promise<readonly StreamRecord[]> {
  const { maximumRecordAgeMs, clock } = delivery.settings;
  if (maximumRecordAgeMs < 0) return records;
  const oldest = clock() - maximumRecordAgeMs;
  const young = records.findIndex(({ arrivedAt }) => arrivedAt >= oldest);
  const old = records.slice(0, young < 0 ? records.length : young);
  if (old.length > 0) await discard(old, "RecordAgeExceeded", invokeCount, error, delivery);
  return records.slice(old.length);
}

/**
 * Writes records to the on-failure destination before the checkpoint may pass them; retries until the destination
 * accepts them. Lambda discards records without keeping their data; this mapping keeps it.
 */
async function discard(
  records: readonly StreamRecord[],
  condition: FailureCondition,
  invokeCount: number,
  error: unknown,
  delivery: Delivery,
): Promise<void> {
  const { settings, metrics } = delivery;
  const last = records.at(-1);
  if (!last) return;
  const { name, streamArn, functionArn } = settings;
  const { key, body } = encodeFailedBatch({
    name,
    streamArn,
    functionArn,
    records,
    condition,
    invokeCount,
    failedAt: settings.clock(),
    ...(error instanceof Error && { errorMessage: error.message }),
  });
  await untilItWorks("write a batch to the on-failure destination", last.shard, delivery, () =>
    settings.onFailure.put(key, body),
  );
  metrics.onFailureRecords += records.length;
  settings.onEvent({ type: "sentToOnFailure", shard: last.shard, records: records.length, condition, key });
  await delivery.settle(last);
}

/** Retries with exponential backoff until the action succeeds or the mapping stops. */
export async function untilItWorks(
  doing: string,
  shard: string,
  { settings, stopping }: Pick<Delivery, "settings" | "stopping">,
  action: () => Promise<unknown>,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await action();
      return;
    } catch (error) {
      settings.onEvent({ type: "storageFailed", shard, doing, error });
    }
    if (stopping.aborted) throw new Stopped();
    await settings.sleep(backoffMs(attempt), stopping);
  }
}

function backoffMs(attempt: number): number {
  return Math.min(firstBackoffMs * 2 ** attempt, longestBackoffMs);
}

async function withTimeout(work: Promise<void>, timeoutMs: number | undefined): Promise<void> {
  if (timeoutMs === undefined) return await work;
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`Function: timed out after ${timeoutMs} ms: raise timeoutMs or reduce the batch size`));
  }, timeoutMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
