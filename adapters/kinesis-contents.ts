import type { KinesisClient } from "@aws-sdk/client-kinesis";
import { listBronze } from "../pipeline/bronze/list-bronze.ts";
import { onFailurePositions } from "../pipeline/bronze/on-failure-objects.ts";
import type { ObjectStore } from "../pipeline/ports.ts";
import type { StreamContents } from "../pipeline/reconciliation/reconcile-records.ts";
import { sharedKinesisClient, explainKinesis, listShards, readShard } from "./kinesis.ts";
import { recordPosition } from "../pipeline/domain/stream-position.ts";

/**
 * Contents of a Kinesis stream: the records within its retention period that arrived before this call. A record is
 * confirmed once landing has passed it: bronze or the on-failure destination has a later record of its shard, and the
 * range of no bronze object includes it.
 */
export function kinesisContents({
  streamName,
  store,
  onFailure,
  stream,
  client,
}: {
  streamName: string;
  /** Store of bronze. */
  store: ObjectStore;
  /** On-failure destination of landing. */
  onFailure: ObjectStore;
  /** The stream's name in bronze keys. */
  stream: string;
  client?: KinesisClient;
}): StreamContents {
  const until = Date.now();
  let landed: Ranges = new Map();
  return {
    isComplete: false,
    async *records() {
      const location = { kinesis: client ?? sharedKinesisClient(), streamName };
      try {
        for (const shard of await listShards(location)) yield* readShard(location, shard, until);
      } catch (cause) {
        throw explainKinesis(cause, streamName, "ListShards, GetShardIterator, GetRecords");
      }
    },
    isConfirmed: ({ shard, sequenceNumber }) => isPassedBy(landed.get(shard) ?? [], sequenceNumber),
    async onFailure() {
      // In this order, because a redrive writes to bronze before it deletes from the on-failure destination.
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

/** A record inside an object's range is not passed: the receipt may not have read that object yet. */
function isPassedBy(ranges: readonly Range[], sequenceNumber: string): boolean {
  const number = BigInt(sequenceNumber);
  const isInside = ranges.some(([first, last]) => first <= number && number <= last);
  return !isInside && ranges.some(([first]) => first > number);
}
