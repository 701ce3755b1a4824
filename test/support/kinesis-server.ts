import type { OutgoingRecord } from "../../pipeline/ports.ts";
import { openStreamLog, type StreamLog } from "../../targets/local/stream/stream-log.ts";
import { AwsFault, jsonAnswer, jsonFault, readJsonRequest } from "./aws-json.ts";
import { startHttpServer, type TestServer } from "./http-server.ts";

/** A fault of requests to the Kinesis server. */
export interface KinesisFault {
  /** The affected operation, such as `PutRecords`. */
  on: string;
  /** "some entries" rejects every second record of a PutRecords; "lost answer" does everything and hangs up. */
  kind:
    | "some entries"
    | "throttled"
    | "not found"
    | "denied"
    | "expired iterator"
    | "reset"
    | "lost answer"
    | "empty page";
  /** The number of affected requests; default: one. */
  times?: number;
}

export interface KinesisServer extends TestServer {
  /** The underlying stream, without HTTP. */
  log: StreamLog;
  /** The pending faults: tests add them, requests remove them. */
  faults: KinesisFault[];
  /** The requests so far. */
  calls: { operation: string; input: Record<string, unknown> }[];
}

const errors: Partial<Record<KinesisFault["kind"], string>> = {
  throttled: "ProvisionedThroughputExceededException",
  "not found": "ResourceNotFoundException",
  denied: "AccessDeniedException",
  "expired iterator": "ExpiredIteratorException",
};

/** Kinesis over the embedded stream in `dir`, under any stream name. `pageSize` is the limit of one GetRecords. */
export async function startKinesisServer({
  dir,
  shards,
  pageSize = 1000,
}: {
  dir: string;
  shards: number;
  pageSize?: number;
}): Promise<KinesisServer> {
  const log = await openStreamLog({ dir, shards });
  const faults: KinesisFault[] = [];
  const calls: KinesisServer["calls"] = [];
  const server = await startHttpServer(async (request) => {
    const { operation, input } = readJsonRequest(request);
    calls.push({ operation, input });
    const fault = takeFault(faults, operation);
    try {
      if (fault && errors[fault]) throw new AwsFault(errors[fault]);
      if (fault === "reset") return request.reset() as undefined;
      const output = await operate({ log, pageSize, fault }, operation, input);
      return fault === "lost answer" ? (request.reset() as undefined) : jsonAnswer(output);
    } catch (error) {
      return jsonFault(error);
    }
  });
  const close = async (): Promise<void> => {
    await server.close();
    await log.close();
  };
  return { ...server, log, faults, calls, close };
}

function takeFault(faults: KinesisFault[], on: string): KinesisFault["kind"] | undefined {
  const index = faults.findIndex((fault) => fault.on === on);
  const fault = faults[index];
  if (!fault) return undefined;
  const left = (fault.times ?? 1) - 1;
  if (left > 0) faults[index] = { ...fault, times: left };
  else faults.splice(index, 1);
  return fault.kind;
}

interface IteratorPosition {
  log: StreamLog;
  pageSize: number;
  fault: KinesisFault["kind"] | undefined;
}

async function operate(place: IteratorPosition, operation: string, input: Record<string, unknown>): Promise<unknown> {
  const { log } = place;
  const open = log.shards().filter(({ closed }) => !closed);
  if (operation === "PutRecords") return await putRecords(place, input["Records"] as PutEntry[]);
  if (operation === "DescribeStreamSummary") return { StreamDescriptionSummary: { OpenShardCount: open.length } };
  if (operation === "ListShards") return listShards(log, Number(input["NextToken"] ?? 0));
  if (operation === "GetShardIterator") {
    return { ShardIterator: JSON.stringify([input["ShardId"], input["StartingSequenceNumber"]]) };
  }
  if (operation === "GetRecords") return await getRecords(place, String(input["ShardIterator"]));
  throw new AwsFault("UnknownOperationException", { message: `this server does not know ${operation}` });
}

interface PutEntry {
  PartitionKey: string;
  ExplicitHashKey?: string;
  Data: string;
}

async function putRecords({ log, fault }: IteratorPosition, entries: readonly PutEntry[]): Promise<unknown> {
  const isRejected = (index: number) => fault === "some entries" && index % 2 === 1;
  const records = entries.map(recordOf);
  const stored = await log.putRecords(records.filter((_, index) => !isRejected(index))).catch((error: unknown) => {
    throw new AwsFault("ValidationException", { message: String(error) });
  });
  const results = records.map((_, index) => {
    if (isRejected(index)) return { ErrorCode: errors.throttled, ErrorMessage: "Rate exceeded for shard" };
    const result = stored.shift();
    if (!result || "errorCode" in result)
      return { ErrorCode: "InternalFailure", ErrorMessage: "Internal Service Failure" };
    return { ShardId: result.shard, SequenceNumber: result.sequenceNumber };
  });
  return { Records: results, FailedRecordCount: results.filter(({ ErrorCode }) => ErrorCode).length };
}

function recordOf({ PartitionKey, ExplicitHashKey, Data }: PutEntry): OutgoingRecord {
  const record = { partitionKey: PartitionKey, data: Buffer.from(Data, "base64") };
  return ExplicitHashKey === undefined ? record : { ...record, explicitHashKey: ExplicitHashKey };
}

/** Two per page, so that a reader has to follow pages. */
function listShards(log: StreamLog, from: number): unknown {
  const shards = log.shards();
  const page = shards.slice(from, from + 2).map(({ id }) => ({ ShardId: id }));
  return { Shards: page, ...(from + 2 < shards.length && { NextToken: String(from + 2) }) };
}

async function getRecords({ log, pageSize, fault }: IteratorPosition, iterator: string): Promise<unknown> {
  const [shard, after] = JSON.parse(iterator) as [string, string | null];
  if (fault === "empty page") return { Records: [], NextShardIterator: iterator, MillisBehindLatest: 1000 };
  const read = (limit: number, from: string | null | undefined) =>
    log.read({ shard, limit, maxBytes: 10 * 1024 * 1024, ...(typeof from === "string" && { after: from }) });
  const records = await read(pageSize, after);
  const last = records.at(-1)?.sequenceNumber ?? after;
  const isAtEnd = (await read(1, last)).length === 0;
  const isClosed = log.shards().some(({ id, closed }) => id === shard && closed);
  return {
    Records: records.map(({ sequenceNumber, partitionKey, arrivedAt, data }) => ({
      SequenceNumber: sequenceNumber,
      PartitionKey: partitionKey,
      ApproximateArrivalTimestamp: arrivedAt / 1000,
      Data: Buffer.from(data).toString("base64"),
    })),
    ...(!(isAtEnd && isClosed) && { NextShardIterator: JSON.stringify([shard, last]) }),
    MillisBehindLatest: isAtEnd ? 0 : 1000,
  };
}
