import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import { toOutgoing } from "../producer/batch-builder.ts";
import { createSender } from "../producer/send-orders.ts";
import type { EventSink, StreamRecord } from "../pipeline/ports.ts";
import { sequenceNumberAt } from "../targets/local/stream/sequence-number.ts";
import { firstShards, hashKeyOf } from "../targets/local/stream/shard-map.ts";

const shardCount = 2;

/**
 * The records that the producer makes of some events, in the order of the stream; `batched` as it sends them by default,
 * full batches of zstd, `single` one event a record. Each arrives when its last event is sent.
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

/** What one call of the landing function holds: the embedded home's 100 batches, or all that a Lambda call carries. */
const invocation = { batched: { records: 100 }, single: { records: 10_000 }, bytes: 4_500_000 };

/** Cuts records into the invocations that land them: one shard each, in order. */
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
