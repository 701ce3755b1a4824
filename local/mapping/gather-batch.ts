import type { StreamRecord } from "../../lambdas/ports.ts";
import type { Settings } from "./settings.ts";

const idleMs = 60_000;
const envelopeBytes = 350;

/**
 * The next records of a shard: as many as fit in one call, gathered for at most the window; `hurry` ends the window.
 * Empty when none came in a good while, or ever will, or on a stop.
 */
export async function gatherBatch(
  {
    shard,
    after,
    stopping,
    hurry,
  }: { shard: string; after: string | undefined; stopping: AbortSignal; hurry: () => AbortSignal },
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
    if (left <= 0 || !(await stream.waitForRecord(shard, last, left, hurry()))) return batch;
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
