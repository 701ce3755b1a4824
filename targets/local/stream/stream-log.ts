import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, EventSink, OutgoingRecord, PutResult, StreamRecord } from "../../../pipeline/ports.ts";
import { takeLock } from "./process-lock.ts";
import { ordinalOf, sequenceNumberAt } from "./sequence-number.ts";
import { ShardLog } from "./shard-log.ts";
import { firstShards, hashKeyOf, readShardMap, resharded, type Shard, writeShardMap } from "./shard-map.ts";

/** A shard as the stream shows it. */
export interface ShardInfo {
  id: string;
  parents: string[];
  /** First and last hash of its range, decimal. */
  hashRange: { start: string; end: string };
  closed: boolean;
  /** Absent while the shard holds no record. */
  firstSequenceNumber?: string;
  lastSequenceNumber?: string;
  records: number;
  /** Bytes on disk. */
  bytes: number;
}

/** The reading side of a stream. */
export interface StreamReader {
  /** All shards, parents before their children, closed ones too. */
  shards(): ShardInfo[];
  /**
   * The records of a shard that follow `after` (or from its first on): at most `limit`, and at most `maxBytes` of data
   * unless the first alone is larger. Empty where none follows.
   */
  read(options: { shard: string; after?: string; limit: number; maxBytes: number }): Promise<StreamRecord[]>;
  /** True once a record follows `after`; false after `timeoutMs`, on abort, or where the shard is closed and at its end. */
  waitForRecord(shard: string, after: string | undefined, timeoutMs: number, signal?: AbortSignal): Promise<boolean>;
}

/** A durable stream on disk with the shapes of Kinesis, for one process at a time. */
export interface StreamLog extends EventSink, StreamReader {
  /** Closes the open shards and opens `count` new ones over the same hash space; the same count changes nothing. */
  reshard(count: number): Promise<void>;
  /** Puts other data in the place of some records, which are known by shard and sequence number; gives how many it holds. */
  replace(records: readonly Pick<StreamRecord, "shard" | "sequenceNumber" | "data">[]): Promise<number>;
  /** Finishes the puts under way and gives the folder back. */
  close(): Promise<void>;
}

/**
 * Opens the stream in `dir`, or makes it with that many shards (a stream that exists keeps its own; `reshard` changes
 * them). What a crash left unfinished is cut off and told to `onNotice`: a put that was answered is never part of it.
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
    if (!log) throw new Error(`Stream ${dir}: no shard ${id}; it has ${[...logs.keys()].join(", ")}`);
    return log;
  };
  const ordinalAfter = (log: ShardLog, after: string | undefined) => {
    const ordinal = after === undefined ? -1 : ordinalOf(log.shard, after);
    if (ordinal !== undefined) return ordinal + 1;
    throw new Error(
      `Stream ${dir}: ${after} is no sequence number of ${log.shard.id}; read from the shard's beginning`,
    );
  };
  const mustBeOpen = () => {
    if (now.closed) throw new Error(`Stream ${dir}: closed; open it again`);
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
      // Those who wait at the gate need not fail with the one who changes the shards.
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

/** One append for each shard that is met; the records of a shard that could not store them say so one by one. */
async function putInto(logs: readonly ShardLog[], records: readonly OutgoingRecord[]): Promise<PutResult[]> {
  const byLog = Map.groupBy(records.keys(), (index) => logFor(logs, records[index]));
  const results: PutResult[] = [];
  await Promise.all(
    [...byLog].map(async ([log, indexes]) => {
      const mine = indexes.flatMap((index) => records[index] ?? []);
      const answers = await log.append(mine).then(
        (numbers) => numbers.map((sequenceNumber) => ({ shard: log.shard.id, sequenceNumber })),
        (error: Error) => mine.map(() => ({ errorCode: "InternalFailure", errorMessage: error.message })),
      );
      for (const [place, answer] of answers.entries()) results[indexes[place] ?? 0] = answer;
    }),
  );
  return results;
}

function logFor(logs: readonly ShardLog[], record: OutgoingRecord | undefined): ShardLog {
  const hashKey = record ? hashKeyOf(record) : 0n;
  const log = logs.findLast(({ range }) => range.start <= hashKey);
  if (!log) throw new Error(`Stream: no open shard for the hash key ${hashKey}; see that shard-map.json is whole`);
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

/** What one PutRecords call of Kinesis may carry. */
export const putLimits = { records: 500, callBytes: 5 * 1024 * 1024, recordBytes: 1024 * 1024, keyCharacters: 256 };

/** Throws where Kinesis would refuse the whole call; nothing has been written then. */
function checkPut(records: readonly OutgoingRecord[]): void {
  if (records.length > putLimits.records) {
    throw new Error(`PutRecords: ${records.length} records; send at most ${putLimits.records} in one call`);
  }
  let bytes = 0;
  for (const [index, record] of records.entries()) {
    checkRecord(record, index);
    bytes += record.data.length + Buffer.byteLength(record.partitionKey);
  }
  if (bytes > putLimits.callBytes) {
    throw new Error(`PutRecords: ${bytes} bytes; send at most ${putLimits.callBytes} in one call`);
  }
}

function checkRecord({ partitionKey, explicitHashKey, data }: OutgoingRecord, index: number): void {
  if (data.length > putLimits.recordBytes) {
    throw new Error(`PutRecords: record ${index} has ${data.length} bytes; send at most ${putLimits.recordBytes}`);
  }
  if (partitionKey.length === 0 || partitionKey.length > putLimits.keyCharacters) {
    throw new Error(
      `PutRecords: record ${index} has a partition key of ${partitionKey.length} characters; ` +
        `give it 1 to ${putLimits.keyCharacters}`,
    );
  }
  if (explicitHashKey === undefined) return;
  if (!/^(0|[1-9]\d{0,38})$/.test(explicitHashKey) || BigInt(explicitHashKey) >= 2n ** 128n) {
    throw new Error(
      `PutRecords: record ${index} has the explicit hash key ${explicitHashKey}; ` +
        `give a decimal number below 2^128 without leading zeros`,
    );
  }
}
