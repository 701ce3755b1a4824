/** Where a record is in the stream. */
export interface RecordPosition {
  shard: string;
  sequenceNumber: string;
}

/** Where an event is in the stream: its record, and its index in the record's batch (0 for a record of one event). */
export interface EventPosition extends RecordPosition {
  recordIndex: number;
}

/** The name of a record: `shardId-000000000000/495`. */
export function recordPosition({ shard, sequenceNumber }: RecordPosition): string {
  return `${shard}/${sequenceNumber}`;
}

/** The name of an event: `shardId-000000000000/495/0`. */
export function eventPosition(event: EventPosition): string {
  return `${recordPosition(event)}/${event.recordIndex}`;
}

/** The event that a row of silver or of the quarantine came from. */
export function rowPosition(row: Readonly<Record<string, unknown>>): EventPosition {
  return {
    shard: String(row["shard"]),
    sequenceNumber: String(row["sequence_number"]),
    recordIndex: Number(row["record_index"]),
  };
}

/**
 * Negative, zero or positive, as the sequence number `a` comes before, with or after `b`. They are decimal and
 * unpadded.
 */
export function compareSequenceNumbers(a: string, b: string): number {
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : Number(difference > 0n);
}

const prefix = "resent/";

/**
 * Returns the partition key of a record that resends a quarantined event, corrected: it contains that event's position.
 */
export function resentKey(position: string): string {
  return prefix + position;
}

/** Whether a partition key marks its record as a corrected, resent event. */
export function isResent(partitionKey: string): boolean {
  return partitionKey.startsWith(prefix);
}
