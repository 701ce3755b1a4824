import { setTimeout as sleep } from "node:timers/promises";
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  type GetRecordsCommandOutput,
  type KinesisClient,
  type _Record as KinesisRecord,
} from "@aws-sdk/client-kinesis";
import type { StreamRecord } from "../ports.ts";

/** Where to read: a stream, and the client to read it with. */
export interface KinesisPlace {
  kinesis: KinesisClient;
  streamName: string;
}

/** The ids of all shards whose records the stream still keeps, closed ones too, in the order of their making. */
export async function listShards({ kinesis, streamName }: KinesisPlace): Promise<string[]> {
  const ids: string[] = [];
  let token: string | undefined;
  do {
    const from = token === undefined ? { StreamName: streamName } : { NextToken: token };
    const { Shards = [], NextToken } = await kinesis.send(new ListShardsCommand(from));
    ids.push(...Shards.flatMap(({ ShardId }) => ShardId ?? []));
    token = NextToken;
  } while (token !== undefined);
  return ids.toSorted();
}

/** Five reads a second is what a shard allows; a pause between empty answers leaves some of them to others. */
const pauseMilliseconds = 250;

/**
 * The records of a shard that the stream still keeps, from the oldest up to its end, or to the first that came after
 * `until` (milliseconds since 1970), so that a stream that is being written ends too.
 */
export async function* readShard(place: KinesisPlace, shard: string, until: number): AsyncGenerator<StreamRecord> {
  let last: string | undefined;
  let iterator = await iteratorAt(place, shard, last);
  while (iterator !== undefined) {
    const page: GetRecordsCommandOutput | "expired" = await readPage(place, iterator);
    if (page === "expired") {
      iterator = await iteratorAt(place, shard, last);
      continue;
    }
    for (const record of (page.Records ?? []).map((entry) => recordOf(entry, shard))) {
      if (record.arrivedAt > until) return;
      last = record.sequenceNumber;
      yield record;
    }
    if (page.MillisBehindLatest === 0) return;
    if (page.Records?.length === 0) await sleep(pauseMilliseconds);
    iterator = page.NextShardIterator;
  }
}

async function iteratorAt({ kinesis, streamName }: KinesisPlace, shard: string, after: string | undefined) {
  const from =
    after === undefined
      ? ({ ShardIteratorType: "TRIM_HORIZON" } as const)
      : ({ ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: after } as const);
  const answer = await kinesis.send(new GetShardIteratorCommand({ StreamName: streamName, ShardId: shard, ...from }));
  return answer.ShardIterator;
}

/** An iterator lives for five minutes; whoever takes a record may need longer. */
async function readPage({ kinesis }: KinesisPlace, iterator: string): Promise<GetRecordsCommandOutput | "expired"> {
  try {
    return await kinesis.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: 10_000 }));
  } catch (error) {
    if (error instanceof Error && error.name === "ExpiredIteratorException") return "expired";
    throw error;
  }
}

function recordOf(entry: KinesisRecord, shard: string): StreamRecord {
  const { SequenceNumber = "", PartitionKey = "", ApproximateArrivalTimestamp, Data = new Uint8Array() } = entry;
  return {
    shard,
    sequenceNumber: SequenceNumber,
    partitionKey: PartitionKey,
    arrivedAt: ApproximateArrivalTimestamp?.getTime() ?? 0,
    data: Data,
  };
}
