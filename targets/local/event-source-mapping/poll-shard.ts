import type { StreamRecord } from "../../../pipeline/ports.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { type Delivery, deliverBatch, untilItWorks } from "./deliver-batch.ts";
import type { Settings } from "./settings.ts";

/** What a lane shares with the mapping it belongs to. */
export interface PollerContext {
  shard: string;
  checkpoints: Checkpoints;
  delivery: Omit<Delivery, "settle">;
  /** The signal that ends a window before its time. */
  flushing: () => AbortSignal;
  /** Told whenever the checkpoint has moved. */
  onProgress: () => void;
  /** Told the batch under way, and undefined when it is done. */
  onBatch: (batch: readonly StreamRecord[] | undefined) => void;
}

/** Delivers a shard in order, one batch at a time. Resolves when a closed shard is at its end, or after a stop. */
export async function pollShard(context: PollerContext): Promise<void> {
  const { shard, checkpoints, flushing, delivery, onBatch, onProgress } = context;
  const { settings, stopping } = delivery;
  while (!stopping.aborted) {
    const after = checkpoints.get(shard);
    // Looked at before reading: a closed shard takes no record any more, so an empty read is its end.
    const isClosed = settings.stream.shards().some(({ id, closed }) => id === shard && closed);
    const batch = await gatherBatch({ shard, after, stopping, flushing }, settings);
    if (stopping.aborted) return;
    if (batch.length === 0 && isClosed) return;
    if (batch.length === 0) continue;
    onBatch(batch);
    const settle = async (last: StreamRecord) => {
      await saveCheckpoint(last, context);
      if (last === batch.at(-1)) onBatch(undefined);
      onProgress();
    };
    await deliverBatch(batch, { ...delivery, settle });
  }
}

async function saveCheckpoint(last: StreamRecord, { shard, checkpoints, delivery }: PollerContext): Promise<void> {
  await untilItWorks("save a checkpoint", shard, delivery, () => checkpoints.save(shard, last.sequenceNumber));
}

const idleMs = 60_000;
const envelopeBytes = 350;

/**
 * The next records of a shard: as many as fit in one call, gathered for at most the window; `hurry` ends the window.
 * Empty when none came in a good while, or ever will, or on a stop.
 */
async function gatherBatch(
  {
    shard,
    after,
    stopping,
    flushing,
  }: { shard: string; after: string | undefined; stopping: AbortSignal; flushing: () => AbortSignal },
  settings: Settings,
): Promise<StreamRecord[]> {
  const { stream, windowMs, clock } = settings;
  const batch: StreamRecord[] = [];
  let room = settings.maxBatchBytes;
  let deadline: number | undefined;
  for (;;) {
    const position = batch.at(-1)?.sequenceNumber ?? after;
    const found = await stream.read({
      shard,
      ...(position !== undefined && { after: position }),
      limit: settings.batchSize - batch.length,
      maxBytes: room,
    });
    const fitting = thoseThatFit(found, room, batch.length === 0);
    batch.push(...fitting);
    room -= fitting.reduce((sum, record) => sum + invocationBytes(record), 0);
    const isFull = batch.length >= settings.batchSize || fitting.length < found.length || room <= 0;
    if (isFull) return batch;

    if (batch.length === 0) {
      // A drain does not end this wait: there is nothing to hurry with.
      if (!(await stream.waitForRecord(shard, after, idleMs, stopping))) return [];
      continue;
    }
    deadline ??= clock() + windowMs;
    // A clock that was set back does not make the window longer.
    const left = Math.min(windowMs, deadline - clock());
    const last = batch.at(-1)?.sequenceNumber;
    if (left <= 0 || !(await stream.waitForRecord(shard, last, left, flushing()))) return batch;
  }
}

function thoseThatFit(found: StreamRecord[], room: number, isFirst: boolean): StreamRecord[] {
  let bytes = 0;
  const end = found.findIndex((record, index) => {
    bytes += invocationBytes(record);
    return bytes > room && !(isFirst && index === 0);
  });
  return end < 0 ? found : found.slice(0, end);
}

/** What a record takes of an invocation: its data in base64 and the fields around it. */
function invocationBytes({ data, partitionKey }: StreamRecord): number {
  return Math.ceil(data.length / 3) * 4 + partitionKey.length + envelopeBytes;
}
