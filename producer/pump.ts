import type { EventSink, PutResult } from "../pipeline/ports.ts";
import type { InFlightSlot } from "./in-flight.ts";
import type { Sleep } from "./pace.ts";

/** What has been sent and acknowledged so far. */
export interface SendSummary {
  events: number;
  records: number;
  /** Bytes of the records' data. */
  bytes: number;
  /** Calls of `putRecords`, failed ones included. */
  calls: number;
  /** Records that were sent again because an attempt failed. */
  retries: number;
}

export interface PumpOptions {
  sink: EventSink;
  slots: readonly InFlightSlot[];
  sleep: Sleep;
  /** From 0 to 1: spreads the repetitions of several senders. */
  random: () => number;
  maxAttempts: number;
  summary: SendSummary;
  /** After each call whose results are known; the summary is up to date. */
  onCall: () => void;
  /** A record has failed for the last time, or `onCall` threw; nothing is sent any more. */
  onGiveUp: (cause: unknown) => void;
}

/** What Kinesis takes in one call. */
const callLimit = { records: 500, bytes: 5 * 1024 * 1024 };
/** Milliseconds. */
const backoff = { first: 50, longest: 5000 };

/**
 * Brings the lanes' records into the stream: each call carries the first record of every lane that is ready. Returns the
 * function that starts it whenever a lane has got a record.
 */
export function createPump(options: PumpOptions): () => void {
  const { sink, slots, summary, onCall } = options;
  let isRunning = false;
  let hasGivenUp = false;
  let turn = 0;

  async function run(): Promise<void> {
    isRunning = true;
    for (let heads = takeHeads(slots, turn); heads.length > 0; heads = hasGivenUp ? [] : takeHeads(slots, turn)) {
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
    } else if (++slot.attempts < options.maxAttempts) void tryAgain(slot);
    else giveUp(new Error(`${slot.attempts} attempts failed, the last with ${describe(result)}`, { cause: result }));
  }

  async function tryAgain(slot: InFlightSlot): Promise<void> {
    const longest = Math.min(backoff.longest, backoff.first * 2 ** (slot.attempts - 1));
    await options.sleep(longest * (0.5 + options.random() / 2));
    summary.retries++;
    slot.busy = false;
    kick();
  }

  function giveUp(cause: unknown): void {
    if (!hasGivenUp) options.onGiveUp(cause);
    hasGivenUp = true;
  }

  function kick(): void {
    if (!isRunning && !hasGivenUp) run().catch(giveUp);
  }
  return kick;
}

/** The lanes whose first record goes out now, as many as one call takes, beginning where the last call ended. */
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

/** One result a lane; after a throw each of them is the error. */
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
