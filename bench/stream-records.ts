import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import type { EventSink, StreamRecord } from "../pipeline/ports.ts";
import { toOutgoing } from "../producer/batch-builder.ts";
import { createSender } from "../producer/send-orders.ts";
import { sequenceNumberAt, firstShards, hashKeyOf } from "../targets/local/stream/shard-map.ts";

const shardCount = 2;

/** Limits of one invocation of landing: the local pipeline's 100 batches, or Lambda's limits. */
const invocation = { batched: { records: 100 }, single: { records: 10_000 }, bytes: 4_500_000 };

/**
 * The producer's records for some events, in stream order: `batched` in full zstd batches, as by default, or `single`
 * with one event per record. Each arrives when its last event is sent.
 */
export async function streamRecords(events: Iterable<OrderEvent>, form: "batched" | "single"): Promise<StreamRecord[]> {
  const records: StreamRecord[] = [];
  let arrivedAt = 0;
  const sender = createSender({
    sink: collectInto(records, () => arrivedAt),
    ...(form === "single" && { batch: "off" }),
  });
  for (const event of events) {
    arrivedAt = Math.max(arrivedAt, Date.parse(event.emitted_at));
    await sender.send(toOutgoing(event));
  }
  await sender.close();
  return records;
}

function collectInto(records: StreamRecord[], clock: () => number): EventSink {
  const shards = firstShards(shardCount, 1_700_000_000_000).map((shard) => ({ ...shard, records: 0 }));
  return {
    openShards: async () => shardCount,
    putRecords: async (outgoing) =>
      outgoing.map((record) => {
        const hashKey = hashKeyOf(record);
        const shard = shards.findLast(({ startingHashKey }) => BigInt(startingHashKey) <= hashKey)!;
        const sequenceNumber = sequenceNumberAt(shard, shard.records++);
        const { partitionKey, data } = record;
        records.push({ shard: shard.id, sequenceNumber, partitionKey, arrivedAt: clock(), data });
        return { shard: shard.id, sequenceNumber };
      }),
  };
}

/** Splits records into invocations of landing: one shard each, in order. */
export function invocationsOf(records: readonly StreamRecord[], form: "batched" | "single"): StreamRecord[][] {
  const invocations: StreamRecord[][] = [];
  for (const ofShard of Map.groupBy(records, ({ shard }) => shard).values()) {
    let bytes = 0;
    let current: StreamRecord[] = [];
    for (const record of ofShard) {
      bytes += record.data.length;
      if (current.length === 0 || current.length >= invocation[form].records || bytes > invocation.bytes) {
        invocations.push((current = []));
        bytes = record.data.length;
      }
      current.push(record);
    }
  }
  return invocations;
}
