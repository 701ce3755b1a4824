import {
  DescribeStreamSummaryCommand,
  PutRecordsCommand,
  type KinesisClient,
  type PutRecordsResultEntry,
} from "@aws-sdk/client-kinesis";
import type { EventSink, OutgoingRecord, PutResult } from "../ports.ts";
import { sharedKinesisClient } from "./kinesis-client.ts";
import { explainKinesis } from "./kinesis-errors.ts";

/** What every stream takes in one call; bytes count data and partition keys. */
const callLimit = { records: 500, bytes: 5 * 1024 * 1024 };

/**
 * A Kinesis stream as the front door. Records that do not fit one call go in several, one after the other; a call that
 * fails as a whole after others went through is a failure of each of its records.
 */
export function openKinesisSink({ streamName, client }: { streamName: string; client?: KinesisClient }): EventSink {
  const kinesis = () => client ?? sharedKinesisClient();
  return {
    async putRecords(records) {
      const results: PutResult[] = [];
      for (const call of callsOf(records)) {
        try {
          results.push(...(await putCall(kinesis(), streamName, call)));
        } catch (cause) {
          const failure = explainKinesis(cause, streamName, "PutRecords");
          if (results.length === 0) throw failure;
          results.push(...call.map(() => ({ errorCode: codeOf(cause), errorMessage: failure.message })));
        }
      }
      return results;
    },
    async openShards() {
      try {
        const answer = await kinesis().send(new DescribeStreamSummaryCommand({ StreamName: streamName }));
        return answer.StreamDescriptionSummary!.OpenShardCount!;
      } catch (cause) {
        throw explainKinesis(cause, streamName, "DescribeStreamSummary");
      }
    },
  };
}

async function putCall(
  kinesis: KinesisClient,
  streamName: string,
  records: readonly OutgoingRecord[],
): Promise<PutResult[]> {
  const answer = await kinesis.send(new PutRecordsCommand({ StreamName: streamName, Records: records.map(entryOf) }));
  const { Records = [] } = answer;
  if (Records.length === records.length) return Records.map(resultOf);
  throw new Error(`the answer has ${Records.length} results for ${records.length} records`);
}

function entryOf({ partitionKey, explicitHashKey, data }: OutgoingRecord) {
  const entry = { PartitionKey: partitionKey, Data: data };
  return explicitHashKey === undefined ? entry : { ...entry, ExplicitHashKey: explicitHashKey };
}

function resultOf({ ShardId, SequenceNumber, ErrorCode, ErrorMessage }: PutRecordsResultEntry): PutResult {
  if (ShardId !== undefined && SequenceNumber !== undefined) return { shard: ShardId, sequenceNumber: SequenceNumber };
  return { errorCode: ErrorCode ?? "Unknown", errorMessage: ErrorMessage ?? "the stream gives no reason" };
}

/** Cuts the records, in their order, into calls that are no larger than a stream takes. */
function callsOf(records: readonly OutgoingRecord[]): OutgoingRecord[][] {
  const calls: OutgoingRecord[][] = [];
  let bytes = 0;
  for (const record of records) {
    const size = record.data.length + Buffer.byteLength(record.partitionKey);
    const last = calls.at(-1);
    if (last === undefined || last.length >= callLimit.records || bytes + size > callLimit.bytes) {
      calls.push([record]);
      bytes = size;
    } else {
      last.push(record);
      bytes += size;
    }
  }
  return calls;
}

function codeOf(error: unknown): string {
  return error instanceof Error ? error.name : "Unknown";
}
