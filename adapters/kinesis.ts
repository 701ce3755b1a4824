import { setTimeout as sleep } from "node:timers/promises";
import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  type _Record as KinesisRecord,
  type GetRecordsCommandOutput,
  type KinesisClientConfig,
  type PutRecordsResultEntry,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { errorCode } from "../pipeline/domain/errors.ts";
import type { EventSink, OutgoingRecord, PutResult, StreamRecord } from "../pipeline/ports.ts";

/** A shard allows five reads per second; the pause between empty responses leaves some of them to other consumers. */
const pauseMilliseconds = 250;

/** Limits of one PutRecords call; bytes count data and partition keys. */
const callLimit = { records: 500, bytes: 5 * 1024 * 1024 };

/** A stream and the client to read it with. */
export interface KinesisLocation {
  kinesis: KinesisClient;
  streamName: string;
}

/** Ids of all shards within the retention period, including closed ones, in order of creation. */
export async function listShards({ kinesis, streamName }: KinesisLocation): Promise<string[]> {
  const ids: string[] = [];
  let token: string | undefined;
  do {
    const from = token === undefined ? { StreamName: streamName } : { NextToken: token };
    const { Shards = [], NextToken } = await kinesis.send(new ListShardsCommand(from));
    ids.push(...Shards.flatMap(({ ShardId }) => ShardId ?? []));
    token = NextToken;
  } while (token !== undefined);
  return ids.toSorted();
}

/**
 * The records of a shard within the retention period, from the oldest to its end or to the first that arrived after
 * `until` (milliseconds since 1970), so that reading ends although the stream is being written.
 */
export async function* readShard(
  location: KinesisLocation,
  shard: string,
  until: number,
): AsyncGenerator<StreamRecord> {
  let last: string | undefined;
  let iterator = await iteratorAt(location, shard, last);
  while (iterator !== undefined) {
    const page: GetRecordsCommandOutput | "expired" = await readPage(location, iterator);
    if (page === "expired") {
      iterator = await iteratorAt(location, shard, last);
      continue;
    }
    for (const record of (page.Records ?? []).map((entry) => recordOf(entry, shard))) {
      if (record.arrivedAt > until) return;
      last = record.sequenceNumber;
      yield record;
    }
    if (page.MillisBehindLatest === 0) return;
    if (page.Records?.length === 0) await sleep(pauseMilliseconds);
    iterator = page.NextShardIterator;
  }
}

async function iteratorAt({ kinesis, streamName }: KinesisLocation, shard: string, after: string | undefined) {
  const from =
    after === undefined
      ? ({ ShardIteratorType: "TRIM_HORIZON" } as const)
      : ({ ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: after } as const);
  const response = await kinesis.send(new GetShardIteratorCommand({ StreamName: streamName, ShardId: shard, ...from }));
  return response.ShardIterator;
}

/** An iterator expires after five minutes, and the consumer of the records may take longer. */
async function readPage({ kinesis }: KinesisLocation, iterator: string): Promise<GetRecordsCommandOutput | "expired"> {
  try {
    return await kinesis.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: 10_000 }));
  } catch (error) {
    if (error instanceof Error && error.name === "ExpiredIteratorException") return "expired";
    throw error;
  }
}

function recordOf(entry: KinesisRecord, shard: string): StreamRecord {
  const { SequenceNumber = "", PartitionKey = "", ApproximateArrivalTimestamp, Data = new Uint8Array() } = entry;
  return {
    shard,
    sequenceNumber: SequenceNumber,
    partitionKey: PartitionKey,
    arrivedAt: ApproximateArrivalTimestamp?.getTime() ?? 0,
    data: Data,
  };
}

/**
 * A Kinesis stream as event sink. Records that exceed one call are sent in several, one after the other. If a call
 * fails as a whole after an earlier one succeeded, each of its records gets an error result.
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
        const response = await kinesis().send(new DescribeStreamSummaryCommand({ StreamName: streamName }));
        return response.StreamDescriptionSummary!.OpenShardCount!;
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
  const response = await kinesis.send(new PutRecordsCommand({ StreamName: streamName, Records: records.map(entryOf) }));
  const { Records = [] } = response;
  if (Records.length === records.length) return Records.map(resultOf);
  throw new Error(`the response has ${Records.length} results for ${records.length} records`);
}

function entryOf({ partitionKey, explicitHashKey, data }: OutgoingRecord) {
  const entry = { PartitionKey: partitionKey, Data: data };
  return explicitHashKey === undefined ? entry : { ...entry, ExplicitHashKey: explicitHashKey };
}

function resultOf({ ShardId, SequenceNumber, ErrorCode, ErrorMessage }: PutRecordsResultEntry): PutResult {
  if (ShardId !== undefined && SequenceNumber !== undefined) return { shard: ShardId, sequenceNumber: SequenceNumber };
  return { errorCode: ErrorCode ?? "Unknown", errorMessage: ErrorMessage ?? "the stream gives no reason" };
}

/** Splits the records, in order, into calls within the limits. */
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

let shared: KinesisClient | undefined;

/** The Kinesis client of this process, created on first use. */
export function sharedKinesisClient(): KinesisClient {
  return (shared ??= newKinesisClient());
}

/** A Kinesis client over HTTP/1.1 (emulators support nothing else) that retries throttled requests. */
export function newKinesisClient(config: KinesisClientConfig = {}): KinesisClient {
  return new KinesisClient({
    maxAttempts: 8,
    // Milliseconds; without timeouts a stalled connection blocks its caller forever.
    requestHandler: new NodeHttpHandler({ connectionTimeout: 3000, socketTimeout: 20_000 }),
    ...config,
  });
}

const credentials = "the credentials are not accepted: sign in again (aws sso login) or check the function's role";
const unreachable = "Kinesis does not answer: check AWS_ENDPOINT_URL and the network, and try again";

const advice: Record<string, string> = {
  ResourceNotFoundException: "the stream does not exist: take its name from the stack outputs, and check AWS_REGION",
  ProvisionedThroughputExceededException: "the stream is throttled: wait, or give it more shards",
  LimitExceededException: "the account's request limit is reached: try again in a minute",
  UnrecognizedClientException: credentials,
  ExpiredTokenException: credentials,
  CredentialsProviderError: credentials,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ENOTFOUND: unreachable,
  TimeoutError: unreachable,
};

/** An error for a failed Kinesis request that names the stream, the actions (such as `PutRecords`) and what to do. */
export function explainKinesis(cause: unknown, streamName: string, actions: string): Error {
  const name = cause instanceof Error ? cause.name : "";
  const denied = `access is denied: allow the role ${actions} on the stream and the use of the stream's KMS key`;
  const why = name === "AccessDeniedException" ? denied : (advice[errorCode(cause)] ?? advice[name]);
  const sentence = why ?? `${String(cause)}: fix the cause and try again`;
  return new Error(`Kinesis stream ${streamName}: ${actions} failed: ${sentence}`, { cause });
}
