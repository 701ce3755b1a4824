import type { StreamRecord } from "../../../pipeline/ports.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { deliverBatch, untilItWorks, type Delivery } from "./deliver-batch.ts";
import type { Settings } from "./settings.ts";

const idleMs = 60_000;
/** JSON fields around a record's data in Lambda's Kinesis event. */
const envelopeBytes = 350;

/** What a shard poller shares with its mapping. */
export interface PollerContext {
  shard: string;
  checkpoints: Checkpoints;
  delivery: Omit<Delivery, "settle">;
  /** The signal that ends a batching window early. */
  flushing: () => AbortSignal;
  /** Called after every checkpoint. */
  onProgress: () => void;
  /** Called with the batch in flight, and with undefined when it is settled. */
  onBatch: (batch: readonly StreamRecord[] | undefined) => void;
}

/** Delivers a shard in order, one batch at a time. Resolves at the end of a closed shard or after a stop. */
export async function pollShard(context: PollerContext): Promise<void> {
  const { shard, checkpoints, flushing, delivery, onBatch, onProgress } = context;
  const { settings, stopping } = delivery;
  while (!stopping.aborted) {
    const after = checkpoints.get(shard);
    // Checked before reading: a closed shard accepts no more records, so an empty read means its end.
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

/**
 * The next records of a shard: as many as fit into one invocation, collected for at most the batching window;
 * `flushing` ends the window early. Empty if no record arrived within `idleMs`, at the end of a closed shard, and after
 * a stop.
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
    const fitting = takeFitting(found, room, batch.length === 0);
    batch.push(...fitting);
    room -= fitting.reduce((sum, record) => sum + invocationBytes(record), 0);
    const isFull = batch.length >= settings.batchSize || fitting.length < found.length || room <= 0;
    if (isFull) return batch;

    if (batch.length === 0) {
      // A flush does not end this wait: there is nothing to deliver yet.
      if (!(await stream.waitForRecord(shard, after, idleMs, stopping))) return [];
      continue;
    }
    deadline ??= clock() + windowMs;
    // A clock set back must not extend the window.
    const left = Math.min(windowMs, deadline - clock());
    const last = batch.at(-1)?.sequenceNumber;
    if (left <= 0 || !(await stream.waitForRecord(shard, last, left, flushing()))) return batch;
  }
}

function takeFitting(found: StreamRecord[], room: number, isFirst: boolean): StreamRecord[] {
  let bytes = 0;
  const end = found.findIndex((record, index) => {
    bytes += invocationBytes(record);
    return bytes > room && !(isFirst && index === 0);
  });
  return end < 0 ? found : found.slice(0, end);
}

/** Bytes of a record in an invocation's payload: its data in base64 and the fields around it. */
function invocationBytes({ data, partitionKey }: StreamRecord): number {
  return Math.ceil(data.length / 3) * 4 + partitionKey.length + envelopeBytes;
}
