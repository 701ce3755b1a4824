import type { EventSink, PutResult } from "../pipeline/ports.ts";
import type { Lane } from "./in-flight.ts";
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
  lanes: readonly Lane[];
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
  const { sink, lanes, summary, onCall } = options;
  let isRunning = false;
  let hasGivenUp = false;
  let turn = 0;

  async function run(): Promise<void> {
    isRunning = true;
    for (let heads = takeHeads(lanes, turn); heads.length > 0; heads = hasGivenUp ? [] : takeHeads(lanes, turn)) {
      turn = (lanes.indexOf(heads.at(-1)!) + 1) % lanes.length;
      summary.calls++;
      const results = await put(sink, heads);
      for (const [index, lane] of heads.entries()) settle(lane, results[index]);
      onCall();
    }
    isRunning = false;
  }

  function settle(lane: Lane, result: unknown): void {
    if (isStored(result)) {
      const { record, events } = lane.queue.shift()!;
      summary.records++;
      summary.events += events;
      summary.bytes += record.data.length;
      lane.attempts = 0;
      lane.busy = false;
    } else if (++lane.attempts < options.maxAttempts) void tryAgain(lane);
    else giveUp(new Error(`${lane.attempts} attempts failed, the last with ${describe(result)}`, { cause: result }));
  }

  async function tryAgain(lane: Lane): Promise<void> {
    const longest = Math.min(backoff.longest, backoff.first * 2 ** (lane.attempts - 1));
    await options.sleep(longest * (0.5 + options.random() / 2));
    summary.retries++;
    lane.busy = false;
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
function takeHeads(lanes: readonly Lane[], turn: number): Lane[] {
  const heads: Lane[] = [];
  let bytes = 0;
  for (let i = 0; i < lanes.length && heads.length < callLimit.records; i++) {
    const lane = lanes[(turn + i) % lanes.length]!;
    const first = lane.queue[0];
    if (lane.busy || first === undefined) continue;
    bytes += first.record.data.length + first.record.partitionKey.length;
    if (bytes > callLimit.bytes) break;
    lane.busy = true;
    heads.push(lane);
  }
  return heads;
}

/** One result a lane; after a throw each of them is the error. */
async function put(sink: EventSink, heads: readonly Lane[]): Promise<readonly unknown[]> {
  try {
    return await sink.putRecords(heads.map((lane) => lane.queue[0]!.record));
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
