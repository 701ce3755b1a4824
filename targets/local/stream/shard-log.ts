import { mkdir, readdir } from "node:fs/promises";
import { syncFolder } from "../../../adapters/folder-files.ts";
import type { Clock, OutgoingRecord, StreamRecord } from "../../../pipeline/ports.ts";
import { openAppendFile, type AppendFile } from "./durable-files.ts";
import {
  findSegment,
  frameSize,
  newSegment,
  noteFrame,
  readSegment,
  rewriteSegment,
  scanSegment,
  StreamDamaged,
  writeFrame,
  type Segment,
} from "./segment.ts";
import { sequenceNumberAt, type Shard } from "./shard-map.ts";

const mostBytesAtOnce = 8 * 1024 * 1024;

export interface ShardLogOptions {
  shard: Shard;
  folder: string;
  clock: Clock;
  /** A segment that has reached this size is followed by a new one. */
  segmentBytes: number;
  onNotice: (notice: string) => void;
}

interface Append {
  records: readonly OutgoingRecord[];
  resolve: (sequenceNumbers: string[]) => void;
  reject: (error: unknown) => void;
}

/** The records of one shard on disk: segment files in a separate folder. */
export class ShardLog {
  readonly shard: Shard;
  /** First and last hash key of its range. */
  readonly range: { start: bigint; end: bigint };
  /** Ordinal of the next record; all records before it are durable. */
  nextOrdinal: number;
  private readonly folder: string;
  private readonly clock: Clock;
  private readonly segmentBytes: number;
  private readonly segments: Segment[];
  private readonly queue: Append[] = [];
  private readonly waiters = createWaiters();
  private lastArrival: number;
  private file: AppendFile | undefined;
  private working: Promise<void> | undefined;
  private rewriting: Promise<void> | undefined;
  private readonly reading = new Set<Promise<unknown>>();

  private constructor(options: ShardLogOptions, segments: Segment[], nextOrdinal: number, lastArrival: number) {
    ({ shard: this.shard, folder: this.folder, clock: this.clock, segmentBytes: this.segmentBytes } = options);
    this.range = { start: BigInt(this.shard.startingHashKey), end: BigInt(this.shard.endingHashKey) };
    this.segments = segments;
    this.nextOrdinal = nextOrdinal;
    this.lastArrival = lastArrival;
  }

  /**
   * Opens or creates the shard's folder. An incomplete record left at the end by a crash is truncated, with a notice.
   */
  static async open(options: ShardLogOptions): Promise<ShardLog> {
    const { folder, onNotice } = options;
    await mkdir(folder, { recursive: true });
    const names = (await readdir(folder)).toSorted();
    const found = await Promise.all(names.map((name) => findSegment(folder, name)));
    const segments = found.filter((segment) => segment !== undefined);
    const last = segments.at(-1);
    if (!last) return new ShardLog(options, [], 0, 0);

    const { last: lastFrame, tornAt } = await scanSegment(last, { maySalvage: true });
    if (tornAt !== undefined) {
      onNotice(`Stream segment ${last.path}: truncated ${last.size - tornAt} incomplete bytes at byte ${tornAt}`);
      last.size = tornAt;
      await (await openAppendFile(last.path, tornAt)).close();
    }
    const previous = segments.at(-2);
    const frame = lastFrame ?? (previous && (await scanSegment(previous)).last);
    return new ShardLog(options, segments, (lastFrame?.ordinal ?? last.first - 1) + 1, frame?.arrivedAt ?? 0);
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.segments.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Resolves with the sequence numbers once the records are durable. Concurrent appends share one write and one sync.
   */
  async append(records: readonly OutgoingRecord[]): Promise<string[]> {
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    this.queue.push({ records, resolve, reject });
    this.working ??= this.work();
    return await promise;
  }

  /**
   * Replaces the data of some records, by ordinal; order, keys and times stay. Appends and reads wait meanwhile. Each
   * segment is replaced atomically, so an interrupted call can be repeated.
   */
  async replace(dataOf: ReadonlyMap<number, Uint8Array>): Promise<void> {
    while (this.working !== undefined) await this.working;
    this.working = this.rewrite(dataOf).finally(() => {
      this.working = this.queue.length > 0 ? this.work() : undefined;
    });
    await this.working;
  }

  private async rewrite(dataOf: ReadonlyMap<number, Uint8Array>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.rewriting = promise;
    try {
      await Promise.allSettled(this.reading);
      await this.file?.close();
      this.file = undefined;
      for (const [index, segment] of this.segments.entries()) {
        const end = this.segments[index + 1]?.first ?? this.nextOrdinal;
        if ([...dataOf.keys()].some((ordinal) => ordinal >= segment.first && ordinal < end)) {
          this.segments[index] = await rewriteSegment(segment, dataOf);
        }
      }
      await syncFolder(this.folder);
    } finally {
      this.rewriting = undefined;
      resolve();
    }
  }

  /** Resolves when no append is in progress. */
  async idle(): Promise<void> {
    await this.working;
  }

  private async work(): Promise<void> {
    // Lets all appends of this event loop turn join the first write.
    await Promise.resolve();
    while (this.queue.length > 0) {
      const appends = this.takeAppends();
      try {
        await this.commit(appends);
      } catch (error) {
        for (const { reject } of appends) reject(error);
      }
    }
    this.working = undefined;
  }

  private takeAppends(): Append[] {
    let bytes = 0;
    const stop = this.queue.findIndex(({ records }, index) => {
      bytes += sizeOf(records);
      return index > 0 && bytes > mostBytesAtOnce;
    });
    return this.queue.splice(0, stop < 0 ? this.queue.length : stop);
  }

  private async commit(appends: readonly Append[]): Promise<void> {
    const bytes = Buffer.allocUnsafe(appends.reduce((sum, { records }) => sum + sizeOf(records), 0));
    const arrivedAt = Math.max(this.lastArrival, this.clock());
    const { segment, file } = await this.segmentFor(bytes.length);
    const starts: number[] = [];
    let end = 0;
    for (const { partitionKey, data } of appends.flatMap(({ records }) => records)) {
      const ordinal = this.nextOrdinal + starts.length;
      starts.push(end);
      end = writeFrame(bytes, end, { ordinal, arrivedAt, partitionKey, data });
    }
    await file.append(bytes);

    for (const [index, start] of starts.entries()) noteFrame(segment, this.nextOrdinal + index, segment.size + start);
    let ordinal = this.nextOrdinal;
    segment.size += bytes.length;
    this.lastArrival = arrivedAt;
    this.nextOrdinal += starts.length;
    for (const { records, resolve } of appends) {
      resolve(records.map((_, index) => sequenceNumberAt(this.shard, ordinal + index)));
      ordinal += records.length;
    }
    this.waiters.release(this.nextOrdinal);
  }

  /** The segment for the next bytes: the last one while it has room, else a new one. */
  private async segmentFor(bytes: number): Promise<{ segment: Segment; file: AppendFile }> {
    const last = this.segments.at(-1);
    if (last && (last.size === 0 || last.size + bytes <= this.segmentBytes)) {
      this.file ??= await openAppendFile(last.path, last.size);
      return { segment: last, file: this.file };
    }
    const segment = newSegment(this.folder, this.nextOrdinal);
    const file = await openAppendFile(segment.path, 0);
    await Promise.all([syncFolder(this.folder), this.file?.close()]);
    this.file = file;
    this.segments.push(segment);
    return { segment, file };
  }

  /** The durable records from an ordinal on, within both limits, but at least one if there is one. */
  async read(range: { from: number; limit: number; maxBytes: number }): Promise<StreamRecord[]> {
    while (this.rewriting !== undefined) await this.rewriting;
    const reading = this.readNow(range);
    this.reading.add(reading);
    try {
      return await reading;
    } finally {
      this.reading.delete(reading);
    }
  }

  private async readNow({
    from,
    limit,
    maxBytes,
  }: {
    from: number;
    limit: number;
    maxBytes: number;
  }): Promise<StreamRecord[]> {
    const records: StreamRecord[] = [];
    let bytes = 0;
    while (from < this.nextOrdinal && records.length < limit && bytes < maxBytes) {
      const segment = this.segments.findLast(({ first }) => first <= from);
      const frames = segment
        ? await readSegment(segment, { from, limit: limit - records.length, maxBytes: maxBytes - bytes })
        : [];
      if (frames.length === 0) throw this.missing(from);
      for (const { ordinal, arrivedAt, partitionKey, data } of frames) {
        bytes += data.length;
        if (records.length > 0 && bytes > maxBytes) return records;
        records.push({
          shard: this.shard.id,
          sequenceNumber: sequenceNumberAt(this.shard, ordinal),
          partitionKey,
          arrivedAt,
          data,
        });
      }
      from += frames.length;
    }
    return records;
  }

  private missing(ordinal: number): StreamDamaged {
    return new StreamDamaged(
      `Stream shard ${this.folder}: record ${ordinal} is missing between its segment files: ` +
        `restore the folder from a backup, or move it away to start over`,
    );
  }

  /**
   * Resolves to true once the record with that ordinal is durable; to false on timeout, on abort and on a closed shard.
   */
  async waitFor(ordinal: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (ordinal < this.nextOrdinal) return true;
    if (this.shard.closed) return false;
    return await this.waiters.wait(ordinal, timeoutMs, signal);
  }

  /** Completes appends in progress, then closes the file and releases all waiters. */
  async close(): Promise<void> {
    await this.idle();
    this.waiters.releaseAll();
    await this.file?.close();
    this.file = undefined;
  }
}

function sizeOf(records: readonly OutgoingRecord[]): number {
  return records.reduce((sum, { partitionKey, data }) => sum + frameSize(partitionKey, data), 0);
}

/** Callers that wait for a future record. */
export interface Waiters {
  /** Resolves to true once `release` passes the ordinal; to false on timeout, abort or `releaseAll`. */
  wait(ordinal: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean>;
  /** Resolves, to true, all waits for an ordinal below `nextOrdinal`. */
  release(nextOrdinal: number): void;
  /** Resolves all waits to false. */
  releaseAll(): void;
}

/** Creates an empty set of waiters; a finished wait leaves no timer and no listener. */
function createWaiters(): Waiters {
  const waiting = new Set<{ ordinal: number; settle: (arrived: boolean) => void }>();

  return {
    async wait(ordinal, timeoutMs, signal) {
      if (signal?.aborted) return false;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const entry = { ordinal, settle: resolve };
      const end = () => resolve(false);
      const timer = setTimeout(end, timeoutMs);
      signal?.addEventListener("abort", end);
      waiting.add(entry);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        waiting.delete(entry);
      }
    },
    release(nextOrdinal) {
      for (const { ordinal, settle } of waiting) if (ordinal < nextOrdinal) settle(true);
    },
    releaseAll() {
      for (const { settle } of waiting) settle(false);
    },
  };
}
