import type { StreamRecord } from "../../lambdas/ports.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { type Delivery, deliverBatch, untilItWorks } from "./deliver-batch.ts";
import { gatherBatch } from "./gather-batch.ts";

/** What a lane shares with the mapping it belongs to. */
export interface LaneContext {
  shard: string;
  checkpoints: Checkpoints;
  delivery: Omit<Delivery, "settle">;
  /** The signal that ends a window before its time. */
  hurry: () => AbortSignal;
  /** Told whenever the checkpoint has moved. */
  onProgress: () => void;
  /** Told the batch under way, and undefined when it is done. */
  onBatch: (batch: readonly StreamRecord[] | undefined) => void;
}

/** Delivers a shard in order, one batch at a time. Resolves when a closed shard is at its end, or after a stop. */
export async function runLane(context: LaneContext): Promise<void> {
  const { shard, checkpoints, hurry, delivery, onBatch, onProgress } = context;
  const { settings, stopping } = delivery;
  while (!stopping.aborted) {
    const after = checkpoints.get(shard);
    // Looked at before reading: a closed shard takes no record any more, so an empty read is its end.
    const isClosed = settings.stream.shards().some(({ id, closed }) => id === shard && closed);
    const batch = await gatherBatch({ shard, after, stopping, hurry }, settings);
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

async function saveCheckpoint(last: StreamRecord, { shard, checkpoints, delivery }: LaneContext): Promise<void> {
  await untilItWorks("save a checkpoint", shard, delivery, () => checkpoints.save(shard, last.sequenceNumber));
}
