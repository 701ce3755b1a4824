import type { KinesisStreamEvent } from "aws-lambda";
import type { StreamRecord } from "../ports.ts";

/** The records of a landing function's invocation, in their order; payloads exactly as the stream took them. */
export function kinesisRecords(event: KinesisStreamEvent): StreamRecord[] {
  if (!Array.isArray(event?.Records)) {
    throw new Error("Kinesis event: it has no Records; call this function from an event source mapping of a stream");
  }
  return event.Records.map(({ eventID, kinesis }) => ({
    shard: shardOf(eventID),
    sequenceNumber: kinesis.sequenceNumber,
    partitionKey: kinesis.partitionKey,
    arrivedAt: Math.round(kinesis.approximateArrivalTimestamp * 1000),
    data: Buffer.from(kinesis.data, "base64"),
  }));
}

/** An event's id is its shard, a colon, and its sequence number. */
function shardOf(eventId: string): string {
  const end = eventId.indexOf(":");
  if (end > 0) return eventId.slice(0, end);
  throw new Error(`Kinesis event: the id ${JSON.stringify(eventId)} names no shard; see what calls this function`);
}
