import { type FileHandle, open, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";

const indexEvery = 64 * 1024;
const chunkBytes = 1024 * 1024;

/**
 * Frame layout: mark, length of the body, CRC-32 of the body (4 bytes each), then ordinal and arrival (6 bytes each),
 * key length (2), key, data.
 */
const mark = 0xf5_50_5a_31;
const markBytes = Buffer.from([0xf5, 0x50, 0x5a, 0x31]);
const headBytes = 12;
const fixedBytes = 14;
const longestBody = 2 * 1024 * 1024;

/** One append-only file of a shard, and the offsets of some of its records. */
export interface Segment {
  path: string;
  /** Ordinal of its first record, from the file name. */
  first: number;
  /** Durable bytes, all complete frames. */
  size: number;
  /** Sparse index, both arrays ascending; undefined until the file has been scanned. */
  index: { ordinals: number[]; offsets: number[] } | undefined;
}

/** A record as stored in a segment file. */
export interface Frame {
  /** Index of the record in its shard, from 0. */
  ordinal: number;
  /** Milliseconds since 1970. */
  arrivedAt: number;
  partitionKey: string;
  data: Uint8Array;
}

/** Thrown if a stream's files are not what was written: retrying does not help. */
export class StreamDamaged extends Error {}

/** A new segment file of `folder` whose first record has that ordinal. */
export function newSegment(folder: string, first: number): Segment {
  const path = join(folder, `${String(first).padStart(16, "0")}.log`);
  return { path, first, size: 0, index: { ordinals: [], offsets: [] } };
}

/** The segment of a file name, not yet scanned; undefined for a file that is not a segment. */
export async function findSegment(folder: string, name: string): Promise<Segment | undefined> {
  if (!/^\d{16}\.log$/.test(name)) return undefined;
  const path = join(folder, name);
  return { path, first: Number(name.slice(0, 16)), size: (await stat(path)).size, index: undefined };
}

/** Adds a record to the sparse index if the last indexed one is far enough back. */
export function noteFrame({ index }: Segment, ordinal: number, offset: number): void {
  if (!index) return;
  const last = index.offsets.at(-1);
  if (last !== undefined && offset - last < indexEvery) return;
  index.ordinals.push(ordinal);
  index.offsets.push(offset);
}

/**
 * The records from ordinal `from` on, at least one, until their data would exceed `maxBytes`. Throws StreamDamaged with
 * file and offset if the file is not what was written.
 */
export async function readSegment(
  segment: Segment,
  { from, limit, maxBytes }: { from: number; limit: number; maxBytes: number },
): Promise<Frame[]> {
  const frames: Frame[] = [];
  let bytes = 0;
  if (!segment.index) await scanSegment(segment);
  const start = segment.index?.ordinals.findLastIndex((ordinal) => ordinal <= from) ?? -1;
  const walk = walkFrames(segment, segment.index?.offsets[start] ?? 0, segment.index?.ordinals[start] ?? segment.first);
  for await (const step of walk) {
    if (!("frame" in step)) throw damaged(segment, step.offset);
    if (step.frame.ordinal < from) continue;
    bytes += step.frame.data.length;
    if (frames.length > 0 && bytes > maxBytes) break;
    frames.push(step.frame);
    if (frames.length >= limit || bytes >= maxBytes) break;
  }
  return frames;
}

/**
 * Reads a whole segment, checks every record and builds its index. Returns the last record, if any, and with
 * `maySalvage` the offset of an incomplete frame at the end. Throws StreamDamaged if complete records follow the
 * damage, which is then not a torn write.
 */
export async function scanSegment(
  segment: Segment,
  { maySalvage = false } = {},
): Promise<{ last?: Frame; tornAt?: number }> {
  const found: { last?: Frame; tornAt?: number } = {};
  segment.index = { ordinals: [], offsets: [] };
  for await (const step of walkFrames(segment, 0, segment.first)) {
    if ("frame" in step) {
      noteFrame(segment, step.frame.ordinal, step.offset);
      found.last = step.frame;
      continue;
    }
    const next = (found.last?.ordinal ?? segment.first - 1) + 1;
    if (!maySalvage || (await hasMoreBehind(segment, step.offset, next))) throw damaged(segment, step.offset);
    found.tornAt = step.offset;
  }
  return found;
}

type Step = { offset: number; frame: Frame } | { offset: number };

/** Yields frame after frame, with one chunk of the file in memory; ends with a step without frame at an invalid one. */
async function* walkFrames(segment: Segment, offset: number, ordinal: number): AsyncGenerator<Step> {
  const file = await open(segment.path, "r");
  try {
    let wanted = chunkBytes;
    while (offset < segment.size) {
      const left = segment.size - offset;
      const chunk = await readAt(file, offset, Math.min(wanted, left));
      let at = 0;
      let frame = readFrame(chunk, at);
      while (typeof frame === "object" && frame.ordinal === ordinal) {
        yield { offset: offset + at, frame };
        at = frame.end;
        ordinal += 1;
        frame = readFrame(chunk, at);
      }
      offset += at;
      const hasAll = chunk.length === Math.min(wanted, left);
      if (!hasAll || (at < chunk.length && (frame !== "short" || chunk.length === left))) {
        yield { offset };
        return;
      }
      // The frame is longer than the chunk: read a larger one.
      wanted = at === 0 ? wanted * 2 : chunkBytes;
    }
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function hasMoreBehind(segment: Segment, offset: number, ordinal: number): Promise<boolean> {
  const file = await open(segment.path, "r");
  try {
    return holdsLaterFrame(await readAt(file, offset, segment.size - offset), ordinal);
  } finally {
    await file.close();
  }
}

function damaged({ path }: Segment, offset: number): StreamDamaged {
  return new StreamDamaged(
    `Stream segment ${path}: damaged at byte ${offset}: the CRC or the order of its records does not match: ` +
      `restore the file from a backup, or move the stream's folder away to start over`,
  );
}

/** Size of a frame in bytes. */
export function frameSize(partitionKey: string, data: Uint8Array): number {
  return headBytes + fixedBytes + Buffer.byteLength(partitionKey) + data.length;
}

/** Writes a frame into `target` at `offset` and returns its end offset. */
export function writeFrame(target: Buffer, offset: number, { ordinal, arrivedAt, partitionKey, data }: Frame): number {
  const body = offset + headBytes;
  const keyLength = target.write(partitionKey, body + fixedBytes);
  target.writeUIntBE(ordinal, body, 6);
  target.writeUIntBE(arrivedAt, body + 6, 6);
  target.writeUInt16BE(keyLength, body + 12);
  target.set(data, body + fixedBytes + keyLength);
  const end = body + fixedBytes + keyLength + data.length;
  target.writeUInt32BE(mark, offset);
  target.writeUInt32BE(end - body, offset + 4);
  target.writeUInt32BE(crc32(target.subarray(body, end)), offset + 8);
  return end;
}

/**
 * The frame at `offset` and its end offset; the data is a view of `source`. "short" means that `source` ends before the
 * frame, "damaged" that these are not the bytes that were written.
 */
export function readFrame(source: Buffer, offset: number): (Frame & { end: number }) | "short" | "damaged" {
  const body = offset + headBytes;
  if (source.length < body) return "short";
  const length = source.readUInt32BE(offset + 4);
  if (source.readUInt32BE(offset) !== mark || length < fixedBytes || length > longestBody) return "damaged";
  const end = body + length;
  if (source.length < end) return "short";
  if (crc32(source.subarray(body, end)) !== source.readUInt32BE(offset + 8)) return "damaged";
  const dataStart = body + fixedBytes + source.readUInt16BE(body + 12);
  return {
    ordinal: source.readUIntBE(body, 6),
    arrivedAt: source.readUIntBE(body + 6, 6),
    partitionKey: source.toString("utf8", body + fixedBytes, dataStart),
    data: source.subarray(dataStart, end),
    end,
  };
}

/** Whether a complete frame with at least this ordinal starts anywhere in `source`. */
function holdsLaterFrame(source: Buffer, ordinal: number): boolean {
  for (let at = source.indexOf(markBytes); at >= 0; at = source.indexOf(markBytes, at + 1)) {
    const frame = readFrame(source, at);
    if (typeof frame === "object" && frame.ordinal >= ordinal) return true;
  }
  return false;
}

/** Rewrites a segment file atomically with new data for some records, by ordinal; returns the new segment. */
export async function rewriteSegment(segment: Segment, dataOf: ReadonlyMap<number, Uint8Array>): Promise<Segment> {
  const frames = await readSegment(segment, { from: segment.first, limit: Infinity, maxBytes: Infinity });
  const rewritten = newSegment(dirname(segment.path), segment.first);
  const changed = frames.map((frame) => ({ ...frame, data: dataOf.get(frame.ordinal) ?? frame.data }));
  const bytes = Buffer.alloc(changed.reduce((sum, { partitionKey, data }) => sum + frameSize(partitionKey, data), 0));
  for (const frame of changed) {
    noteFrame(rewritten, frame.ordinal, rewritten.size);
    rewritten.size = writeFrame(bytes, rewritten.size, frame);
  }
  const draft = `${segment.path}.new`;
  const file = await open(draft, "w");
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(draft, segment.path);
  return rewritten;
}
