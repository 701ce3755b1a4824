import type { KinesisStreamEvent } from "aws-lambda";
import { openS3Store } from "../../adapters/s3.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import type { StreamRecord } from "../../pipeline/ports.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { setting } from "../runtime/settings.ts";

const openStore = lazy(async () => openS3Store({ bucket: setting("LAKE_BUCKET") }));

/** Lands the records of one invocation by the event source mapping: all of them, or none and an error. */
export const handler = createHandler(
  async (event: KinesisStreamEvent) =>
    await landRecords({ store: await openStore(), stream: orderStream }, kinesisRecords(event)),
  ({ records, bytes }) => ({ LandedRecords: records, LandedBytes: bytes }),
);

/** The records of a Kinesis event, in order, with unchanged payloads. */
export function kinesisRecords(event: KinesisStreamEvent): StreamRecord[] {
  if (!Array.isArray(event?.Records)) {
    throw new Error("Kinesis event: no Records: invoke this function through an event source mapping of a stream");
  }
  return event.Records.map(({ eventID, kinesis }) => ({
    shard: shardOf(eventID),
    sequenceNumber: kinesis.sequenceNumber,
    partitionKey: kinesis.partitionKey,
    arrivedAt: Math.round(kinesis.approximateArrivalTimestamp * 1000),
    data: Buffer.from(kinesis.data, "base64"),
  }));
}

/** An event id is `<shard>:<sequence number>`. */
function shardOf(eventId: string): string {
  const end = eventId.indexOf(":");
  if (end > 0) return eventId.slice(0, end);
  throw new Error(`Kinesis event: id ${JSON.stringify(eventId)} has no shard: check what invokes this function`);
}
