import type { EventSink } from "../pipeline/ports.ts";
import type { Batching, Outgoing } from "./batch-builder.ts";
import { createInFlightSlots, slotOf, type InFlightSlot } from "./in-flight.ts";
import { sleepFor, type Sleep } from "./pace.ts";
import { createPump, type SendSummary } from "./pump.ts";

export interface Sender {
  /** Takes an event in; resolves at once, or when the stream has caught up. Events of one till stay in order. */
  send(outgoing: Outgoing): Promise<void>;
  /** Sends what is under way; resolves when the stream has acknowledged everything. */
  flush(): Promise<SendSummary>;
  /** Flushes, and takes nothing in afterwards. */
  close(): Promise<SendSummary>;
}

export interface SenderOptions {
  sink: EventSink;
  sleep?: Sleep;
  /** From 0 to 1: spreads the repetitions of several senders. */
  random?: () => number;
  /**
   * How long an event waits for company, milliseconds. Infinity: until the batch is full or flushed, so that equal events
   * make equal records however fast they come.
   */
  lingerMs?: number;
  /** A batch's bytes before compression. Ours shrink to an eighth: the default just fits Kinesis's billing unit of 25 kB. */
  batchBytes?: number;
  /** A batch's events. */
  batchEvents?: number;
  batch?: Batching;
  /** How often one record is tried before the sender gives up. */
  maxAttempts?: number;
  /** Called after every call of the stream whose results are known. */
  onProgress?: (summary: SendSummary) => void;
}

/** What Kinesis takes as one record, less room for its partition key. */
const recordBytes = 1024 * 1024 - 256;
/** Records that may wait in each lane before `send` makes its caller wait. */
const recordsWaiting = 4;

/**
 * Sends events in batches, one lane for each shard. Within a lane one record at a time is out, and only what failed is
 * tried again, so nothing overtakes and nothing is lost; a call that throws may have stored its records, and they then come
 * twice. When a record has failed `maxAttempts` times, every promise is rejected with an error that says what is unsent.
 */
export function createSender({
  sink,
  sleep = sleepFor,
  random = Math.random,
  lingerMs = 100,
  batchBytes = 192 * 1024,
  batchEvents = 2000,
  batch = "zstd",
  maxAttempts = 10,
  onProgress = () => {},
}: SenderOptions): Sender {
  if (!(batchBytes > 0 && batchBytes <= recordBytes / 2)) {
    throw new Error(`batchBytes ${batchBytes}: give 1 to ${recordBytes / 2}, so that a record holds it`);
  }
  const summary: SendSummary = { events: 0, records: 0, bytes: 0, calls: 0, retries: 0 };
  const early: Outgoing[] = [];
  const waiting: Waiting[] = [];
  let slots: InFlightSlot[] | undefined;
  let opening: Promise<void> | undefined;
  let kick = (): void => {};
  let accepted = 0;
  let queued = 0;
  let failure: Error | undefined;
  let isClosed = false;

  async function connect(): Promise<void> {
    try {
      const shards = await sink.openShards();
      slots = createInFlightSlots({ batch, batchBytes, batchEvents, shards });
      kick = createPump({ sink, slots, sleep, random, maxAttempts, summary, onCall, onGiveUp });
      for (const outgoing of early.splice(0)) accept(slots, outgoing);
    } catch (error) {
      onGiveUp(error);
    }
  }

  function accept(open: readonly InFlightSlot[], outgoing: Outgoing): void {
    const slot = open[slotOf(outgoing.producerId, open.length)]!;
    const before = slot.queue.length;
    const batchBefore = slot.openBatch();
    slot.add(outgoing);
    queued += slot.queue.length - before;
    if (slot.queue.length > before) kick();
    const opened = slot.openBatch();
    if (opened !== undefined && opened !== batchBefore) void linger(slot, opened);
  }

  async function linger(slot: InFlightSlot, opened: number): Promise<void> {
    if (lingerMs === Infinity) return;
    await sleep(lingerMs);
    if (slot.openBatch() === opened) closeBatch(slot);
  }

  function closeBatch(slot: InFlightSlot): void {
    const before = slot.queue.length;
    slot.close();
    queued += slot.queue.length - before;
    if (slot.queue.length > before) kick();
  }

  function onCall(): void {
    queued = slots?.reduce((sum, slot) => sum + slot.queue.length, 0) ?? 0;
    wake(waiting, failure);
    onProgress({ ...summary });
  }

  function onGiveUp(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const unsent = `${accepted - summary.events} of ${accepted} events are unsent`;
    failure ??= new Error(`sender: ${unsent}: ${reason}; see to the stream and send them again`, { cause });
    wake(waiting, failure);
  }

  function until(isDone: () => boolean): Promise<void> | undefined {
    if (failure !== undefined) throw failure;
    if (isDone()) return undefined;
    return new Promise((resolve, reject) => {
      waiting.push({ isDone, resolve, reject });
    });
  }

  const hasRoom = (): boolean => queued < (slots?.length ?? 0) * recordsWaiting;

  async function flush(): Promise<SendSummary> {
    if (opening !== undefined) await opening;
    for (const slot of slots ?? []) closeBatch(slot);
    await until(() => summary.events === accepted);
    return { ...summary };
  }

  return {
    async send(outgoing) {
      if (failure !== undefined) throw failure;
      if (isClosed) throw new Error(`sender: it is closed, an event of ${outgoing.producerId} came too late`);
      checkSize(outgoing);
      accepted++;
      if (slots === undefined) {
        early.push(outgoing);
        await (opening ??= connect());
      } else accept(slots, outgoing);
      await until(hasRoom);
    },
    flush,
    async close() {
      isClosed = true;
      return flush();
    },
  };
}

interface Waiting {
  isDone: () => boolean;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Lets go whoever has what they waited for, or everybody where it failed. */
function wake(waiting: Waiting[], failure: Error | undefined): void {
  for (const one of waiting.splice(0)) {
    if (failure !== undefined) one.reject(failure);
    else if (one.isDone()) one.resolve();
    else waiting.push(one);
  }
}

/** Whether the stream has a record that holds an event of these bytes. */
export function fitsRecord(bytes: Uint8Array): boolean {
  return bytes.length <= recordBytes;
}

function checkSize({ producerId, bytes }: Outgoing): void {
  if (fitsRecord(bytes)) return;
  throw new Error(`event of ${producerId}: its ${bytes.length} bytes do not fit a record of ${recordBytes}; split it`);
}
