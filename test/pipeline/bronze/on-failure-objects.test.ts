import { describe, expect, it } from "vitest";
import { decodeFailedBatch, encodeFailedBatch } from "../../../pipeline/bronze/on-failure-objects.ts";

const records = [1, 2].map((number) => ({
  shard: "shardId-000000000003",
  sequenceNumber: `4900${number}`,
  partitionKey: `order-${number}`,
  arrivedAt: Date.parse("2015-01-01T16:38:37.120Z") + number,
  data: Uint8Array.of(0, 255, number),
}));

const batch = {
  name: "landing",
  streamArn: "arn:aws:kinesis:local:000000000000:stream/orders",
  functionArn: "arn:aws:lambda:local:000000000000:function:landing",
  records,
  condition: "RetryAttemptsExhausted",
  invokeCount: 3,
  failedAt: Date.parse("2015-01-02T03:04:05.678Z"),
  errorMessage: "the disk is full",
} as const;

describe("failed batch", () => {
  it("keeps every record with its payload", () => {
    const read = decodeFailedBatch(encodeFailedBatch(batch).body);
    expect(read.map((record) => ({ ...record, data: Uint8Array.from(record.data) }))).toEqual(records);
  });

  it("keeps only the bytes of a record that is part of a larger buffer", () => {
    const data = Buffer.from("before the record after").subarray(7, 17);
    const [read] = decodeFailedBatch(encodeFailedBatch({ ...batch, records: [{ ...records[0]!, data }] }).body);
    expect(Buffer.from(read!.data).toString()).toBe("the record");
  });

  it("has a unique key, and the same one when it is written again", () => {
    const { key } = encodeFailedBatch(batch);
    expect(encodeFailedBatch({ ...batch, records: [...records] }).key).toBe(key);
    expect(encodeFailedBatch({ ...batch, records: records.slice(1) }).key).not.toBe(key);
  });

  it("has the shape and the key that Lambda gives it in S3", () => {
    const { key, body } = encodeFailedBatch(batch);
    expect(key).toMatch(
      /^aws\/lambda\/landing\/shardId-000000000003\/2015\/01\/02\/2015-01-02T03\.04\.05-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    );
    expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({
      requestContext: { condition: "RetryAttemptsExhausted", approximateInvokeCount: 3 },
      responseContext: { functionError: "Unhandled" },
      KinesisBatchInfo: {
        shardId: "shardId-000000000003",
        startSequenceNumber: "49001",
        endSequenceNumber: "49002",
        approximateArrivalOfFirstRecord: "2015-01-01T16:38:37.121Z",
        approximateArrivalOfLastRecord: "2015-01-01T16:38:37.122Z",
        batchSize: 2,
        streamArn: batch.streamArn,
      },
    });
  });

  it("is also read from LocalStack, where the event is an object instead of text", () => {
    const { body } = encodeFailedBatch(batch);
    const written = JSON.parse(Buffer.from(body).toString()) as { payload: string };
    const asObject = Buffer.from(JSON.stringify({ ...written, payload: JSON.parse(written.payload) as object }));
    expect(decodeFailedBatch(asObject)).toEqual(decodeFailedBatch(body));
  });

  it("is rejected with an explanation if its destination stores no payload", () => {
    expect(() => decodeFailedBatch(Buffer.from('{"KinesisBatchInfo":{}}'))).toThrow("has no payload");
  });
});
