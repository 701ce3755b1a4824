import type { EventSink } from "../pipeline/ports.ts";
import type { Batching, Outgoing } from "./batch-builder.ts";
import { createInFlightSlots, slotOf, type InFlightSlot } from "./in-flight.ts";
import { sleepFor, type Sleep } from "./pace.ts";
import { createPump, type SendSummary } from "./pump.ts";
import { errorMessage } from "../pipeline/domain/errors.ts";

export interface Sender {
  /** Queues an event; resolves once there is room in the queue. Keeps the order of each till's events. */
  send(outgoing: Outgoing): Promise<void>;
  /** Sends open batches; resolves when the stream has acknowledged everything. */
  flush(): Promise<SendSummary>;
  /** Flushes and accepts no further events. */
  close(): Promise<SendSummary>;
}

export interface SenderOptions {
  sink: EventSink;
  sleep?: Sleep;
  /** From 0 to 1: jitter of retries. */
  random?: () => number;
  /**
   * Maximum time that a batch stays open, milliseconds. Infinity: until it is full or flushed, so that equal events
   * give equal records independent of timing.
   */
  lingerMs?: number;
  /**
   * Batch size before compression. Orders compress to an eighth, so the default fits Kinesis's billing unit of 25 KB.
   */
  batchBytes?: number;
  /** Maximum number of events per batch. */
  batchEvents?: number;
  batch?: Batching;
  /** Maximum number of attempts per record. */
  maxAttempts?: number;
  /** Called after the results of every call. */
  onProgress?: (summary: SendSummary) => void;
}

/** Kinesis's record limit, less room for the partition key. */
const recordBytes = 1024 * 1024 - 256;
/** Average number of queued records per slot above which `send` applies backpressure. */
const recordsWaiting = 4;

/**
 * Sends events in batches with one in-flight slot per shard. A slot has one record in flight and only failed records
 * are retried, so order is kept and nothing is lost. A call that throws may have stored its records, which are then
 * sent twice. After `maxAttempts` failures of a record every promise is rejected with the number of unsent events.
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
    throw new Error(`batchBytes ${batchBytes}: give 1 to ${recordBytes / 2}, so that a batch fits into a record`);
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
      kick = createPump({ sink, slots, sleep, random, maxAttempts, summary, onCall, onError });
      for (const outgoing of early.splice(0)) accept(slots, outgoing);
    } catch (error) {
      onError(error);
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

  function onError(cause: unknown): void {
    const reason = errorMessage(cause);
    const unsent = `${accepted - summary.events} of ${accepted} events are unsent`;
    failure ??= new Error(`sender: ${unsent}: ${reason}: check the stream and send them again`, { cause });
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
      if (isClosed) throw new Error(`sender is closed: an event of ${outgoing.producerId} was sent too late`);
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

/** Resolves the waiting calls whose condition holds, or rejects all of them on failure. */
function wake(waiting: Waiting[], failure: Error | undefined): void {
  for (const one of waiting.splice(0)) {
    if (failure !== undefined) one.reject(failure);
    else if (one.isDone()) one.resolve();
    else waiting.push(one);
  }
}

/** Whether an event of these bytes fits into a stream record. */
export function fitsRecord(bytes: Uint8Array): boolean {
  return bytes.length <= recordBytes;
}

function checkSize({ producerId, bytes }: Outgoing): void {
  if (fitsRecord(bytes)) return;
  throw new Error(`event of ${producerId}: ${bytes.length} bytes exceed the record limit of ${recordBytes}: split it`);
}
