import { createHash } from "node:crypto";
import type { StreamRecord, ObjectStore } from "../ports.ts";

/** A batch that an event source mapping sent to its on-failure destination in S3. */
export interface FailedBatch {
  /** Name of the event source mapping, part of the key. */
  name: string;
  streamArn: string;
  functionArn: string;
  records: readonly StreamRecord[];
  condition: FailureCondition;
  /** How often the function was invoked with these records. */
  invokeCount: number;
  /** When the mapping stopped retrying, milliseconds since 1970. */
  failedAt: number;
  /** The function's last error. */
  errorMessage?: string;
}

/** Why the mapping stopped retrying, in Lambda's terms. */
export type FailureCondition = "RetryAttemptsExhausted" | "RecordAgeExceeded";

interface InvocationRecord {
  Records: {
    eventID: string;
    kinesis: { partitionKey: string; sequenceNumber: string; data: string; approximateArrivalTimestamp: number };
  }[];
}

/** Returns the key and the body of a failed batch's object, as Lambda writes it: the failure and every record. */
export function encodeFailedBatch(batch: FailedBatch): { key: string; body: Uint8Array } {
  const { records, failedAt, name } = batch;
  const [first, last] = [records.at(0), records.at(-1)];
  if (!first || !last) throw new Error(`Failed batch of ${name}: no records; give it at least one`);
  const payload = JSON.stringify(invocationOf(batch));
  const id = uuidOf(payload);
  const document = {
    requestContext: {
      requestId: id,
      functionArn: batch.functionArn,
      condition: batch.condition,
      approximateInvokeCount: batch.invokeCount,
    },
    responseContext: {
      statusCode: 200,
      executedVersion: "$LATEST",
      functionError: batch.invokeCount > 0 ? "Unhandled" : null,
      errorMessage: batch.errorMessage ?? null,
    },
    version: "1.0",
    timestamp: new Date(failedAt).toISOString(),
    KinesisBatchInfo: {
      shardId: first.shard,
      startSequenceNumber: first.sequenceNumber,
      endSequenceNumber: last.sequenceNumber,
      approximateArrivalOfFirstRecord: new Date(first.arrivedAt).toISOString(),
      approximateArrivalOfLastRecord: new Date(last.arrivedAt).toISOString(),
      batchSize: records.length,
      streamArn: batch.streamArn,
    },
    payload,
  };
  return {
    key: failedBatchKey({ name, shard: first.shard, failedAt, id }),
    body: Buffer.from(JSON.stringify(document)),
  };
}

/**
 * Decodes the records of a failed batch, with their exact payloads. The event is a JSON string in Lambda's objects and
 * an object in LocalStack's. Throws if there is no payload or the object has a different form.
 */
export function decodeFailedBatch(body: Uint8Array): StreamRecord[] {
  const { payload }: { payload?: unknown } = JSON.parse(Buffer.from(body).toString());
  if (typeof payload !== "string" && (typeof payload !== "object" || payload === null)) {
    throw new Error("Failed batch has no payload; only an on-failure destination in S3 receives the records");
  }
  const { Records } = (typeof payload === "string" ? JSON.parse(payload) : payload) as InvocationRecord;
  return Records.map(({ eventID, kinesis }) => ({
    shard: eventID.slice(0, eventID.indexOf(":")),
    sequenceNumber: kinesis.sequenceNumber,
    partitionKey: kinesis.partitionKey,
    arrivedAt: Math.round(kinesis.approximateArrivalTimestamp * 1000),
    data: Buffer.from(kinesis.data, "base64"),
  }));
}

function invocationOf({ records, streamArn }: FailedBatch): InvocationRecord {
  return {
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
      eventSourceARN: streamArn,
    })),
  };
}

/** Returns `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<id>`, with times in UTC. */
function failedBatchKey({
  name,
  shard,
  failedAt,
  id,
}: {
  name: string;
  shard: string;
  failedAt: number;
  id: string;
}): string {
  const second = new Date(failedAt).toISOString().slice(0, 19);
  const day = second.slice(0, 10).replaceAll("-", "/");
  return `aws/lambda/${name}/${shard}/${day}/${second.replaceAll(":", ".")}-${id}`;
}

/** Returns the hash of the content in the form of a UUID, so that writing the same batch again changes nothing. */
function uuidOf(text: string): string {
  const digits = createHash("sha256").update(text).digest("hex");
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20, 32),
  ].join("-");
}

/** An object of the on-failure store; `records` is undefined if it is not a failed batch. */
export interface OnFailureObject {
  key: string;
  records: StreamRecord[] | undefined;
}

/** Reads the on-failure store one object at a time, because it may hold as much data as the stream. */
export async function* readOnFailure(store: ObjectStore): AsyncGenerator<OnFailureObject> {
  for (const { key } of await store.list("")) {
    const body = await store.get(key);
    if (body !== undefined) yield { key, records: recordsOf(body) };
  }
}

function recordsOf(body: Uint8Array): StreamRecord[] | undefined {
  try {
    const records = decodeFailedBatch(body);
    return records.length === 0 ? undefined : records;
  } catch {
    return undefined;
  }
}

/**
 * Returns the stream positions of the records in the on-failure store, and the keys of objects that are not batches.
 */
export async function onFailurePositions(store: ObjectStore) {
  const positions: { shard: string; sequenceNumber: string }[] = [];
  const unreadable: string[] = [];
  for await (const { key, records } of readOnFailure(store)) {
    if (records === undefined) unreadable.push(key);
    for (const { shard, sequenceNumber } of records ?? []) positions.push({ shard, sequenceNumber });
  }
  return { positions, unreadable };
}
