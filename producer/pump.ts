import type { EventSink, PutResult } from "../pipeline/ports.ts";
import type { InFlightSlot } from "./in-flight.ts";
import type { Sleep } from "./pace.ts";

/** Totals of what the stream has acknowledged so far. */
export interface SendSummary {
  events: number;
  records: number;
  /** Bytes of the records' data. */
  bytes: number;
  /** Calls of `putRecords`, including failed ones. */
  calls: number;
  /** Records sent again after a failed attempt. */
  retries: number;
}

export interface PumpOptions {
  sink: EventSink;
  slots: readonly InFlightSlot[];
  sleep: Sleep;
  /** From 0 to 1: jitter of retries. */
  random: () => number;
  maxAttempts: number;
  summary: SendSummary;
  /** Called after each call's results, with an updated summary. */
  onCall: () => void;
  /** Called when a record has failed `maxAttempts` times or `onCall` threw; sending then stops. */
  onError: (cause: unknown) => void;
}

/** Kinesis's limits of one call. */
const callLimit = { records: 500, bytes: 5 * 1024 * 1024 };
/** Milliseconds. */
const backoff = { first: 50, longest: 5000 };

/**
 * Sends the slots' records to the stream: each call contains the first record of every ready slot. Returns the function
 * that must be called whenever a slot has a new record.
 */
export function createPump(options: PumpOptions): () => void {
  const { sink, slots, summary, onCall } = options;
  let isRunning = false;
  let hasFailed = false;
  let turn = 0;

  async function run(): Promise<void> {
    isRunning = true;
    for (let heads = takeHeads(slots, turn); heads.length > 0; heads = hasFailed ? [] : takeHeads(slots, turn)) {
      turn = (slots.indexOf(heads.at(-1)!) + 1) % slots.length;
      summary.calls++;
      const results = await put(sink, heads);
      for (const [index, slot] of heads.entries()) settle(slot, results[index]);
      onCall();
    }
    isRunning = false;
  }

  function settle(slot: InFlightSlot, result: unknown): void {
    if (isStored(result)) {
      const { record, events } = slot.queue.shift()!;
      summary.records++;
      summary.events += events;
      summary.bytes += record.data.length;
      slot.attempts = 0;
      slot.busy = false;
    } else if (++slot.attempts < options.maxAttempts) void retry(slot);
    else fail(new Error(`${slot.attempts} attempts failed, the last with ${describe(result)}`, { cause: result }));
  }

  async function retry(slot: InFlightSlot): Promise<void> {
    const longest = Math.min(backoff.longest, backoff.first * 2 ** (slot.attempts - 1));
    await options.sleep(longest * (0.5 + options.random() / 2));
    summary.retries++;
    slot.busy = false;
    kick();
  }

  function fail(cause: unknown): void {
    if (!hasFailed) options.onError(cause);
    hasFailed = true;
  }

  function kick(): void {
    if (!isRunning && !hasFailed) run().catch(fail);
  }
  return kick;
}

/** The slots whose first record is sent now, within one call's limits, starting after the previous call's last slot. */
function takeHeads(slots: readonly InFlightSlot[], turn: number): InFlightSlot[] {
  const heads: InFlightSlot[] = [];
  let bytes = 0;
  for (let i = 0; i < slots.length && heads.length < callLimit.records; i++) {
    const slot = slots[(turn + i) % slots.length]!;
    const first = slot.queue[0];
    if (slot.busy || first === undefined) continue;
    bytes += first.record.data.length + first.record.partitionKey.length;
    if (bytes > callLimit.bytes) break;
    slot.busy = true;
    heads.push(slot);
  }
  return heads;
}

/** One result per slot; if the call throws, each result is the error. */
async function put(sink: EventSink, heads: readonly InFlightSlot[]): Promise<readonly unknown[]> {
  try {
    return await sink.putRecords(heads.map((slot) => slot.queue[0]!.record));
  } catch (error) {
    return heads.map(() => error);
  }
}

function isStored(result: unknown): result is Extract<PutResult, { shard: string }> {
  return typeof result === "object" && result !== null && "sequenceNumber" in result;
}

function describe(result: unknown): string {
  if (result instanceof Error) return result.message;
  if (typeof result !== "object" || result === null || !("errorCode" in result)) return String(result);
  return `${String(result.errorCode)}${"errorMessage" in result ? ` ${String(result.errorMessage)}` : ""}`;
}
