import type { Position } from "./merge-orders.ts";

const prefix = "resent/";

/** The name of an event's place in the stream: shard, sequence number and index, such as `shardId-000000000000/495/0`. */
export function placeOf({ shard, sequenceNumber, recordIndex }: Position): string {
  return `${shard}/${sequenceNumber}/${recordIndex}`;
}

/** Partition key of a record that brings a refused event once more, corrected: it says which one, by its place. */
export function resentKey(place: string): string {
  return prefix + place;
}

/** Whether a partition key says that its record corrects a refused event. */
export function isResent(partitionKey: string): boolean {
  return partitionKey.startsWith(prefix);
}
