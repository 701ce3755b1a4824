import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, EventSink, OutgoingRecord, PutResult, StreamRecord } from "../../../pipeline/ports.ts";
import { takeLock } from "./process-lock.ts";
import {
  ordinalOf,
  sequenceNumberAt,
  firstShards,
  hashKeyOf,
  readShardMap,
  resharded,
  writeShardMap,
  type Shard,
} from "./shard-map.ts";
import { ShardLog } from "./shard-log.ts";

/** Limits of one Kinesis PutRecords call. */
export const putLimits = { records: 500, callBytes: 5 * 1024 * 1024, recordBytes: 1024 * 1024, keyCharacters: 256 };

/** Description of a shard. */
export interface ShardInfo {
  id: string;
  parents: string[];
  /** First and last hash key of its range, decimal. */
  hashRange: { start: string; end: string };
  closed: boolean;
  /** Absent while the shard has no records. */
  firstSequenceNumber?: string;
  lastSequenceNumber?: string;
  records: number;
  /** Bytes on disk. */
  bytes: number;
}

/** The reading side of a stream. */
export interface StreamReader {
  /** All shards, parents before their children, including closed ones. */
  shards(): ShardInfo[];
  /**
   * The records of a shard after `after` (or from its first on): at most `limit`, and at most `maxBytes` of data unless
   * the first alone is larger. Empty if no record follows.
   */
  read(options: { shard: string; after?: string; limit: number; maxBytes: number }): Promise<StreamRecord[]>;
  /** True once a record follows `after`; false after `timeoutMs`, on abort, and at the end of a closed shard. */
  waitForRecord(shard: string, after: string | undefined, timeoutMs: number, signal?: AbortSignal): Promise<boolean>;
}

/** A durable stream on disk with Kinesis semantics, for one process at a time. */
export interface StreamLog extends EventSink, StreamReader {
  /** Closes the open shards and opens `count` new ones; does nothing if the count is the same. */
  reshard(count: number): Promise<void>;
  /** Replaces the data of some records, by shard and sequence number; returns how many of them exist. */
  replace(records: readonly Pick<StreamRecord, "shard" | "sequenceNumber" | "data">[]): Promise<number>;
  /** Completes puts in progress and releases the folder's lock. */
  close(): Promise<void>;
}

/**
 * Opens the stream in `dir`, or creates it with that many shards (an existing stream keeps its shards; see `reshard`).
 * Incomplete records left by a crash are truncated and reported to `onNotice`; they are never part of an acknowledged
 * put.
 */
export async function openStreamLog({
  dir,
  shards: count,
  clock = Date.now,
  segmentBytes = 64 * 1024 * 1024,
  onNotice = () => undefined,
}: {
  dir: string;
  shards: number;
  clock?: Clock;
  segmentBytes?: number;
  onNotice?: (notice: string) => void;
}): Promise<StreamLog> {
  await mkdir(dir, { recursive: true });
  const unlock = takeLock(join(dir, "lock"), `Stream ${dir}`);
  const openShard = (shard: Shard) =>
    ShardLog.open({ shard, folder: join(dir, shard.id), clock, segmentBytes, onNotice });
  try {
    const map = (await readShardMap(dir)) ?? firstShards(count, clock());
    await writeShardMap(dir, map);
    const logs = new Map<string, ShardLog>();
    for (const shard of map) logs.set(shard.id, await openShard(shard));
    return streamOver({ dir, logs, clock, openShard, unlock });
  } catch (error) {
    unlock();
    throw error;
  }
}

function streamOver({
  dir,
  logs,
  clock,
  openShard,
  unlock,
}: {
  dir: string;
  logs: Map<string, ShardLog>;
  clock: Clock;
  openShard: (shard: Shard) => Promise<ShardLog>;
  unlock: () => void;
}): StreamLog {
  const now: { closed: boolean; resharding: Promise<void> | undefined } = { closed: false, resharding: undefined };

  const openLogs = () => [...logs.values()].filter(({ shard }) => !shard.closed);
  const logOf = (id: string) => {
    const log = logs.get(id);
    if (!log) throw new Error(`Stream ${dir}: no shard ${id}: choose one of ${[...logs.keys()].join(", ")}`);
    return log;
  };
  const ordinalAfter = (log: ShardLog, after: string | undefined) => {
    const ordinal = after === undefined ? -1 : ordinalOf(log.shard, after);
    if (ordinal !== undefined) return ordinal + 1;
    throw new Error(`Stream ${dir}: ${after} is not a sequence number of ${log.shard.id}: read from the shard's start`);
  };
  const mustBeOpen = () => {
    if (now.closed) throw new Error(`Stream ${dir}: closed: open it again`);
  };

  async function changeShards(count: number): Promise<void> {
    const before = openLogs();
    if (before.length === count) return;
    await Promise.all(before.map((log) => log.idle()));
    const map = resharded(
      [...logs.values()].map(({ shard }) => shard),
      count,
      clock(),
    );
    const children = await Promise.all(map.slice(logs.size).map(openShard));
    await writeShardMap(dir, map);
    for (const { shard } of before) shard.closed = true;
    for (const child of children) logs.set(child.shard.id, child);
    await Promise.all(before.map((log) => log.close()));
  }

  return {
    async putRecords(records) {
      checkPut(records);
      while (now.resharding) await now.resharding;
      mustBeOpen();
      return await putInto(openLogs(), records);
    },
    openShards: async () => openLogs().length,
    shards: () => [...logs.values()].map(infoOf),
    async read({ shard, after, limit, maxBytes }) {
      const log = logOf(shard);
      return await log.read({ from: ordinalAfter(log, after), limit, maxBytes });
    },
    async waitForRecord(shard, after, timeoutMs, signal) {
      const log = logOf(shard);
      if (now.closed) return false;
      return await log.waitFor(ordinalAfter(log, after), timeoutMs, signal);
    },
    async replace(records) {
      let replaced = 0;
      for (const [shard, some] of Map.groupBy(records, (record) => record.shard)) {
        const log = logs.get(shard);
        const data = new Map<number, Uint8Array>();
        for (const record of log === undefined ? [] : some) {
          const ordinal = ordinalOf(log!.shard, record.sequenceNumber);
          if (ordinal !== undefined && ordinal < log!.nextOrdinal) data.set(ordinal, record.data);
        }
        if (data.size > 0) await log!.replace(data);
        replaced += data.size;
      }
      return replaced;
    },
    async reshard(count) {
      while (now.resharding) await now.resharding;
      mustBeOpen();
      const change = changeShards(count);
      // Waiting puts must not fail if the resharding fails.
      now.resharding = change
        .catch(() => undefined)
        .finally(() => {
          now.resharding = undefined;
        });
      await change;
    },
    async close() {
      if (now.closed) return;
      now.closed = true;
      await now.resharding;
      await Promise.all([...logs.values()].map((log) => log.close()));
      unlock();
    },
  };
}

/** One append per shard; if it fails, each of its records gets an error result, as in PutRecords. */
async function putInto(logs: readonly ShardLog[], records: readonly OutgoingRecord[]): Promise<PutResult[]> {
  const byLog = Map.groupBy(records.keys(), (index) => logFor(logs, records[index]));
  const results: PutResult[] = [];
  await Promise.all(
    [...byLog].map(async ([log, indexes]) => {
      const mine = indexes.flatMap((index) => records[index] ?? []);
      const appended = await log.append(mine).then(
        (numbers) => numbers.map((sequenceNumber) => ({ shard: log.shard.id, sequenceNumber })),
        (error: Error) => mine.map(() => ({ errorCode: "InternalFailure", errorMessage: error.message })),
      );
      for (const [position, result] of appended.entries()) results[indexes[position] ?? 0] = result;
    }),
  );
  return results;
}

function logFor(logs: readonly ShardLog[], record: OutgoingRecord | undefined): ShardLog {
  const hashKey = record ? hashKeyOf(record) : 0n;
  const log = logs.findLast(({ range }) => range.start <= hashKey);
  if (!log) throw new Error(`Stream: no open shard for the hash key ${hashKey}: check that shard-map.json is complete`);
  return log;
}

function infoOf(log: ShardLog): ShardInfo {
  const { shard, bytes, nextOrdinal: records } = log;
  return {
    id: shard.id,
    parents: [...shard.parents],
    hashRange: { start: shard.startingHashKey, end: shard.endingHashKey },
    closed: shard.closed,
    ...(records > 0 && {
      firstSequenceNumber: sequenceNumberAt(shard, 0),
      lastSequenceNumber: sequenceNumberAt(shard, records - 1),
    }),
    records,
    bytes,
  };
}

/** Throws where Kinesis would reject the whole call, before anything is written. */
function checkPut(records: readonly OutgoingRecord[]): void {
  if (records.length > putLimits.records) {
    throw new Error(`PutRecords: ${records.length} records: send at most ${putLimits.records} in one call`);
  }
  let bytes = 0;
  for (const [index, record] of records.entries()) {
    checkRecord(record, index);
    bytes += record.data.length + Buffer.byteLength(record.partitionKey);
  }
  if (bytes > putLimits.callBytes) {
    throw new Error(`PutRecords: ${bytes} bytes: send at most ${putLimits.callBytes} in one call`);
  }
}

function checkRecord({ partitionKey, explicitHashKey, data }: OutgoingRecord, index: number): void {
  if (data.length > putLimits.recordBytes) {
    throw new Error(`PutRecords: record ${index} has ${data.length} bytes: send at most ${putLimits.recordBytes}`);
  }
  if (partitionKey.length === 0 || partitionKey.length > putLimits.keyCharacters) {
    throw new Error(
      `PutRecords: record ${index} has a partition key of ${partitionKey.length} characters: ` +
        `give it 1 to ${putLimits.keyCharacters}`,
    );
  }
  if (explicitHashKey === undefined) return;
  if (!/^(0|[1-9]\d{0,38})$/.test(explicitHashKey) || BigInt(explicitHashKey) >= 2n ** 128n) {
    throw new Error(
      `PutRecords: record ${index} has the explicit hash key ${explicitHashKey}: ` +
        `give a decimal number below 2^128 without leading zeros`,
    );
  }
}
