import type { KinesisStreamEvent } from "aws-lambda";
import type { StreamRecord } from "../../pipeline/ports.ts";

const streamArn = "arn:aws:kinesis:eu-central-1:000000000000:stream/orders";

/** The event with which an event source mapping invokes a function. */
export function kinesisEvent(records: readonly StreamRecord[]): KinesisStreamEvent {
  return {
    Records: records.map(({ shard, sequenceNumber, partitionKey, arrivedAt, data }) => ({
      kinesis: {
        kinesisSchemaVersion: "1.0",
        partitionKey,
        sequenceNumber,
        data: Buffer.from(data).toString("base64"),
        approximateArrivalTimestamp: arrivedAt / 1000,
      },
      eventSource: "aws:kinesis",
      eventVersion: "1.0",
      eventID: `${shard}:${sequenceNumber}`,
      eventName: "aws:kinesis:record",
      invokeIdentityArn: "arn:aws:iam::000000000000:role/landing",
      awsRegion: "eu-central-1",
      eventSourceARN: streamArn,
    })),
  };
}
