import type { StreamRecord } from "../lambdas/ports.ts";

/** What Lambda hands to the landing function for some records of a stream, as the JSON text that it comes as. */
export function lambdaEvent(records: readonly StreamRecord[]): string {
  return JSON.stringify({
    Records: records.map(({ shard, sequenceNumber, partitionKey, arrivedAt, data }) => ({
      kinesis: {
        kinesisSchemaVersion: "1.0",
        partitionKey,
        sequenceNumber,
        data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
        approximateArrivalTimestamp: arrivedAt / 1000,
      },
      eventSource: "aws:kinesis",
      eventVersion: "1.0",
      eventID: `${shard}:${sequenceNumber}`,
      eventName: "aws:kinesis:record",
      invokeIdentityArn: "arn:aws:iam::000000000000:role/landing",
      awsRegion: "us-east-1",
      eventSourceARN: "arn:aws:kinesis:us-east-1:000000000000:stream/orders",
    })),
  });
}
