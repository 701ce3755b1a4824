import { onFailurePositions } from "../../pipeline/bronze/on-failure-objects.ts";
import type { ObjectStore, StreamRecord } from "../../pipeline/ports.ts";
import type { StreamContents } from "../../pipeline/reconciliation/reconcile-records.ts";
import { StreamDamaged } from "./stream/segment.ts";
import type { StreamReader } from "./stream/stream-log.ts";
import { compareSequenceNumbers, recordPosition } from "../../pipeline/domain/stream-position.ts";

const page = { limit: 1000, maxBytes: 8 * 1024 * 1024 };

/** Contents of the local stream, which keeps every record without a retention limit. */
export function streamContents(
  stream: StreamReader,
  checkpoints: Record<string, string>,
  onFailure: ObjectStore,
): StreamContents {
  return {
    isComplete: true,
    async *records(onDamage) {
      for (const { id } of stream.shards()) {
        try {
          yield* readShard(stream, id);
        } catch (error) {
          if (!(error instanceof StreamDamaged) || onDamage === undefined) throw error;
          onDamage(error.message);
        }
      }
    },
    isConfirmed({ shard, sequenceNumber }) {
      const checkpoint = checkpoints[shard];
      return checkpoint !== undefined && compareSequenceNumbers(sequenceNumber, checkpoint) <= 0;
    },
    async onFailure() {
      const { positions, unreadable } = await onFailurePositions(onFailure);
      return { positions: new Set(positions.map(recordPosition)), unreadable };
    },
  };
}

async function* readShard(stream: StreamReader, shard: string): AsyncGenerator<StreamRecord> {
  let records: StreamRecord[] = [];
  do {
    const after = records.at(-1)?.sequenceNumber;
    records = await stream.read({ shard, ...(after !== undefined && { after }), ...page });
    yield* records;
  } while (records.length > 0);
}
