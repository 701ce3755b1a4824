import { setTimeout as sleep } from "node:timers/promises";
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  type GetRecordsCommandOutput,
  KinesisClient,
  type _Record as KinesisRecord,
  DescribeStreamSummaryCommand,
  PutRecordsCommand,
  type PutRecordsResultEntry,
  type KinesisClientConfig,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { errorCode } from "../pipeline/domain/errors.ts";
import type { StreamRecord, EventSink, OutgoingRecord, PutResult } from "../pipeline/ports.ts";

/** Where to read: a stream, and the client to read it with. */
export interface KinesisLocation {
  kinesis: KinesisClient;
  streamName: string;
}

/** The ids of all shards whose records the stream still keeps, closed ones too, in the order of their making. */
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

/** Five reads a second is what a shard allows; a pause between empty answers leaves some of them to others. */
const pauseMilliseconds = 250;

/**
 * The records of a shard that the stream still keeps, from the oldest up to its end, or to the first that came after
 * `until` (milliseconds since 1970), so that a stream that is being written ends too.
 */
export async function* readShard(place: KinesisLocation, shard: string, until: number): AsyncGenerator<StreamRecord> {
  let last: string | undefined;
  let iterator = await iteratorAt(place, shard, last);
  while (iterator !== undefined) {
    const page: GetRecordsCommandOutput | "expired" = await readPage(place, iterator);
    if (page === "expired") {
      iterator = await iteratorAt(place, shard, last);
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
  const answer = await kinesis.send(new GetShardIteratorCommand({ StreamName: streamName, ShardId: shard, ...from }));
  return answer.ShardIterator;
}

/** An iterator lives for five minutes; whoever takes a record may need longer. */
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

let shared: KinesisClient | undefined;

/** The Kinesis client of this process, made when it is first asked for. */
export function sharedKinesisClient(): KinesisClient {
  return (shared ??= newKinesisClient());
}

/** A Kinesis client over HTTP/1.1 (emulators speak nothing else) that waits and tries again where it is throttled. */
export function newKinesisClient(config: KinesisClientConfig = {}): KinesisClient {
  return new KinesisClient({
    maxAttempts: 8,
    // Milliseconds; without them a connection that went silent holds its caller for ever.
    requestHandler: new NodeHttpHandler({ connectionTimeout: 3000, socketTimeout: 20_000 }),
    ...config,
  });
}

const credentials = "the credentials are not accepted; sign in again (aws sso login) or see to the function's role";
const unreachable = "Kinesis does not answer; see AWS_ENDPOINT_URL and the network, and run it again";

const advice: Record<string, string> = {
  ResourceNotFoundException: "there is no such stream; take its name from the outputs of the stack, and see AWS_REGION",
  ProvisionedThroughputExceededException: "the stream is throttled; wait, or give it more shards",
  LimitExceededException: "the account's request limit is reached; run it again in a minute",
  UnrecognizedClientException: credentials,
  ExpiredTokenException: credentials,
  CredentialsProviderError: credentials,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ENOTFOUND: unreachable,
  TimeoutError: unreachable,
};

/**
 * The error of a request to Kinesis (its actions, such as `PutRecords`) as a sentence: the stream, and what to do;
 * `cause` keeps the SDK's own.
 */
export function explainKinesis(cause: unknown, streamName: string, actions: string): Error {
  const name = cause instanceof Error ? cause.name : "";
  const denied = `access is denied; allow the role ${actions} on the stream and the use of the stream's KMS key`;
  const why = name === "AccessDeniedException" ? denied : (advice[errorCode(cause)] ?? advice[name]);
  const sentence = why ?? `${String(cause)}; see to it and run it again`;
  return new Error(`Kinesis stream ${streamName}: ${actions} failed: ${sentence}`, { cause });
}
