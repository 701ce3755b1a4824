import type { KinesisClient } from "@aws-sdk/client-kinesis";
import { listBronze } from "../pipeline/bronze/list-bronze.ts";
import { onFailurePositions } from "../pipeline/bronze/on-failure-objects.ts";
import type { ObjectStore } from "../pipeline/ports.ts";
import type { StreamContents } from "../pipeline/reconciliation/reconcile-records.ts";
import { sharedKinesisClient, explainKinesis, listShards, readShard } from "./kinesis.ts";
import { recordPosition } from "../pipeline/domain/stream-position.ts";

/**
 * What a Kinesis stream says of itself: the records within its retention that came before this call. A record is
 * confirmed when landing has passed it by: bronze or the on-failure store holds a later one of its shard, and no bronze
 * object's range has room for it.
 */
export function kinesisContents({
  streamName,
  store,
  onFailure,
  stream,
  client,
}: {
  streamName: string;
  /** Where bronze lies. */
  store: ObjectStore;
  /** Where batches go that landing gave up. */
  onFailure: ObjectStore;
  /** The stream's name in bronze's keys. */
  stream: string;
  client?: KinesisClient;
}): StreamContents {
  const until = Date.now();
  let landed: Ranges = new Map();
  return {
    isComplete: false,
    async *records() {
      const place = { kinesis: client ?? sharedKinesisClient(), streamName };
      try {
        for (const shard of await listShards(place)) yield* readShard(place, shard, until);
      } catch (cause) {
        throw explainKinesis(cause, streamName, "ListShards, GetShardIterator, GetRecords");
      }
    },
    isConfirmed: ({ shard, sequenceNumber }) => isPassedBy(landed.get(shard) ?? [], sequenceNumber),
    async onFailure() {
      // In this order: a batch that is landed again meanwhile leaves the one after it is in the other.
      const { positions, unreadable } = await onFailurePositions(onFailure);
      landed = rangesOf([...(await listBronze(store, stream)), ...positions.map(rangeOf)]);
      return { positions: new Set(positions.map(recordPosition)), unreadable };
    },
  };
}

interface Position {
  shard: string;
  sequenceNumber: string;
}

/** First and last sequence number. */
type Range = readonly [first: bigint, last: bigint];

type Ranges = Map<string, Range[]>;

function rangesOf(objects: readonly { shard: string; first: string; last: string }[]): Ranges {
  const ranges: Ranges = new Map();
  for (const { shard, first, last } of objects) {
    const before = ranges.get(shard) ?? [];
    ranges.set(shard, before);
    before.push([BigInt(first), BigInt(last)]);
  }
  return ranges;
}

const rangeOf = ({ shard, sequenceNumber }: Position) => ({ shard, first: sequenceNumber, last: sequenceNumber });

/** An object that was landed a moment ago may hold the record without the receipt having read it. */
function isPassedBy(ranges: readonly Range[], sequenceNumber: string): boolean {
  const place = BigInt(sequenceNumber);
  const isInside = ranges.some(([first, last]) => first <= place && place <= last);
  return !isInside && ranges.some(([first]) => first > place);
}
