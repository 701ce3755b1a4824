/** Parts of a sequence number that identify its shard. */
export interface ShardIdentity {
  /** Index of the shard within its stream, from 0. */
  index: number;
  /** Milliseconds since 1970. */
  createdAt: number;
}

const ordinalDigits = 36;

/**
 * The sequence number of the record with that ordinal (from 0) in its shard: 56 decimal digits, ascending within a shard and
 * from a shard to its children, and unique across shards and streams, even for a stream recreated under the same name.
 */
export function sequenceNumberAt(shard: ShardIdentity, ordinal: number): string {
  return prefixOf(shard) + String(ordinal).padStart(ordinalDigits, "0");
}

/** The ordinal in a sequence number; undefined if it belongs to another shard. */
export function ordinalOf(shard: ShardIdentity, sequenceNumber: string): number | undefined {
  const prefix = prefixOf(shard);
  const isOurs = sequenceNumber.length === prefix.length + ordinalDigits && sequenceNumber.startsWith(prefix);
  return isOurs ? Number(sequenceNumber.slice(prefix.length)) : undefined;
}

function prefixOf({ index, createdAt }: ShardIdentity): string {
  return `49${String(createdAt).padStart(13, "0")}${String(index).padStart(5, "0")}`;
}
