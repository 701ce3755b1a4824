import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
} from "@aws-sdk/client-kinesis";
import { listShards } from "../../adapters/kinesis.ts";
import { listBronze } from "../../pipeline/bronze/list-bronze.ts";
import { onFailurePositions } from "../../pipeline/bronze/on-failure-objects.ts";
import type { ObjectStore } from "../../pipeline/ports.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import type { PipelineStatus } from "../pipeline-api.ts";
import { hourMs, utcHour } from "../../pipeline/domain/dates.ts";
import { compareSequenceNumbers } from "../../pipeline/domain/stream-position.ts";

const shardsAtOnce = 8;
/** Maximum number of empty GetRecords pages to read before the next record. */
const mostPages = 50;

/**
 * How far landing is behind the stream: for each shard, whether a record follows the last one in bronze or in the
 * on-failure destination. Reads at most one record per shard.
 */
export async function landingProgress({
  client,
  streamName,
  store,
  onFailure,
}: {
  client: KinesisClient;
  streamName: string;
  store: ObjectStore;
  onFailure: ObjectStore;
}): Promise<{ stream: NonNullable<PipelineStatus["stream"]>; onFailureRecords: number }> {
  const summary = await client.send(new DescribeStreamSummaryCommand({ StreamName: streamName }));
  const { OpenShardCount, RetentionPeriodHours = 24 } = summary.StreamDescriptionSummary!;
  const [shards, failed, last] = await Promise.all([
    listShards({ kinesis: client, streamName }),
    onFailurePositions(onFailure),
    lastLanded(store, Date.now() - (RetentionPeriodHours + 1) * hourMs),
  ]);
  for (const { shard, sequenceNumber } of failed.positions) {
    if (compareSequenceNumbers(sequenceNumber, last.get(shard) ?? "0") > 0) last.set(shard, sequenceNumber);
  }
  const waiting: Date[] = [];
  for (let at = 0; at < shards.length; at += shardsAtOnce) {
    const some = shards.slice(at, at + shardsAtOnce);
    const next = await Promise.all(
      some.map((shard) => nextArrival({ client, streamName, shard, after: last.get(shard) })),
    );
    waiting.push(...next.filter((arrival) => arrival !== undefined));
  }
  const oldest = Math.min(...waiting.map(Number));
  return {
    stream: {
      shards: OpenShardCount!,
      shardsBehind: waiting.length,
      ...(waiting.length > 0 && { waitingSeconds: Math.max(0, Math.round((Date.now() - oldest) / 1000)) }),
    },
    onFailureRecords: failed.positions.length,
  };
}

/** The last sequence number of each shard in bronze, among objects landed since a time (milliseconds since 1970). */
async function lastLanded(store: ObjectStore, since: number): Promise<Map<string, string>> {
  const last = new Map<string, string>();
  const fromHour = utcHour(since);
  for (const { shard, last: sequenceNumber } of await listBronze(store, orderStream, { fromHour })) {
    if (compareSequenceNumbers(sequenceNumber, last.get(shard) ?? "0") > 0) last.set(shard, sequenceNumber);
  }
  return last;
}

/** Arrival time of the first record after a sequence number; undefined if there is none yet. */
async function nextArrival({
  client,
  streamName,
  shard,
  after,
}: {
  client: KinesisClient;
  streamName: string;
  shard: string;
  after: string | undefined;
}): Promise<Date | undefined> {
  const position =
    after === undefined
      ? { ShardIteratorType: "TRIM_HORIZON" as const }
      : { ShardIteratorType: "AFTER_SEQUENCE_NUMBER" as const, StartingSequenceNumber: String(BigInt(after)) };
  const start = await client.send(new GetShardIteratorCommand({ StreamName: streamName, ShardId: shard, ...position }));
  let iterator = start.ShardIterator;
  for (let page = 0; iterator !== undefined && page < mostPages; page++) {
    const found = await client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: 1 }));
    const [record] = found.Records ?? [];
    if (record !== undefined) return record.ApproximateArrivalTimestamp ?? new Date();
    if (found.MillisBehindLatest === 0) return undefined;
    iterator = found.NextShardIterator;
  }
  return undefined;
}
