import type { Position } from "./merge-orders.ts";

const prefix = "resent/";

/**
 * Formats an event's stream position: shard, sequence number and record index, such as `shardId-000000000000/495/0`.
 */
export function placeOf({ shard, sequenceNumber, recordIndex }: Position): string {
  return `${shard}/${sequenceNumber}/${recordIndex}`;
}

/**
 * Returns the partition key of a record that resends a quarantined event, corrected: it contains that event's position.
 */
export function resentKey(place: string): string {
  return prefix + place;
}

/** Whether a partition key marks its record as a corrected, resent event. */
export function isResent(partitionKey: string): boolean {
  return partitionKey.startsWith(prefix);
}
