import type { KinesisStreamEvent, KinesisStreamRecord } from "aws-lambda";
import { expect, test } from "vitest";
import { kinesisRecords } from "../../../lambdas/bronze/land-records.ts";

function recordOf(eventID: string, data: Uint8Array): KinesisStreamRecord {
  return {
    kinesis: {
      kinesisSchemaVersion: "1.0",
      partitionKey: "lane-0",
      sequenceNumber: "49590338271490256608559692538361571095921575989136588898",
      data: Buffer.from(data).toString("base64"),
      approximateArrivalTimestamp: 1545084650.987,
    },
    eventSource: "aws:kinesis",
    eventVersion: "1.0",
    eventID,
    eventName: "aws:kinesis:record",
    invokeIdentityArn: "arn:aws:iam::123456789012:role/landing",
    awsRegion: "eu-central-1",
    eventSourceARN: "arn:aws:kinesis:eu-central-1:123456789012:stream/orders",
  };
}

test("an invocation's records keep their shard, sequence number, time and bytes", () => {
  const data = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 255);
  const number = "49590338271490256608559692538361571095921575989136588898";
  const event: KinesisStreamEvent = { Records: [recordOf(`shardId-000000000006:${number}`, data)] };
  const [record] = kinesisRecords(event);
  expect(record).toMatchObject({
    shard: "shardId-000000000006",
    sequenceNumber: number,
    partitionKey: "lane-0",
    arrivedAt: 1_545_084_650_987,
  });
  expect([...record!.data]).toEqual([...data]);
});

test("an event that is not from Kinesis is rejected", () => {
  expect(() => kinesisRecords({} as KinesisStreamEvent)).toThrow("Kinesis event: no Records: invoke this function");
  const event = { Records: [recordOf("49590338", Uint8Array.of(1))] };
  expect(() => kinesisRecords(event)).toThrow('Kinesis event: id "49590338" has no shard');
});
