import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { limits, reject, type Rejection } from "../domain/rejection-reasons.ts";

export type Codec = "gzip" | "zstd";

const zstdMagic = 0xfd2fb528;
/** The first of the sixteen magic numbers of skippable frames. */
const skippableMagic = 0x184d2a50;
const skippableHeader = 8;
/** `pzstd` writes a size of four bytes before each frame. A longer skippable frame would hold what nothing reads. */
const mostSkipped = 16;

/** Returns the codec that bytes are compressed with, according to their magic number. */
export function codecOf(bytes: Buffer): Codec | undefined {
  if (bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b) return "gzip";
  if (bytes.length < 4) return undefined;
  return bytes.readUInt32LE(0) === zstdMagic || isSkippable(bytes, 0) ? "zstd" : undefined;
}

/** Compresses text; deterministic, so that copies of a record stay equal. */
export function compress(codec: Codec, bytes: Uint8Array): Buffer {
  return codec === "gzip" ? gzipSync(bytes) : zstdCompressSync(bytes);
}

/** Decompresses all bytes, to at most `room` bytes, or says why it cannot. A byte that is not read is an error. */
export function decompress(codec: Codec, bytes: Buffer, room: number): { bytes: Buffer } | { rejection: Rejection } {
  try {
    return { bytes: codec === "gzip" ? gunzipAll(bytes, room) : unpackFrames(bytes, room) };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    return code === "ERR_BUFFER_TOO_LARGE"
      ? reject("batch_too_large", `record of more than ${limits.batchBytes} bytes`)
      : reject("batch_corrupt", `record: ${code ?? message}`);
  }
}

/** The result of zlib with `info`, which the typings declare only for some codecs. */
interface Inflated {
  buffer: Buffer;
  engine: { bytesWritten: number };
}

/** Decompresses every member: zlib ends without an error before a byte of zero. */
function gunzipAll(bytes: Buffer, room: number): Buffer {
  const options = { info: true, maxOutputLength: Math.max(room, 1) };
  const { buffer, engine } = gunzipSync(bytes, options) as unknown as Inflated;
  if (engine.bytesWritten !== bytes.length) {
    throw new Error(`${bytes.length - engine.bytesWritten} bytes follow the last gzip member`);
  }
  return buffer;
}

/** Decompresses frame by frame: zlib silently stops after the first frame, and the rest would be lost. */
function unpackFrames(record: Buffer, mostBytes: number): Buffer {
  const frames: Buffer[] = [];
  let room = mostBytes;
  for (let at = 0; at < record.length;) {
    if (isSkippable(record, at)) {
      at = endOfSkippable(record, at);
      continue;
    }
    const { buffer, engine } = zstdDecompressSync(record.subarray(at), {
      info: true,
      maxOutputLength: Math.max(room, 1),
      chunkSize: chunkSize(record, at),
    }) as unknown as Inflated;
    frames.push(buffer);
    room -= buffer.length;
    at += engine.bytesWritten;
  }
  return frames.length === 1 ? frames[0]! : Buffer.concat(frames);
}

function isSkippable(record: Buffer, at: number): boolean {
  return at + 4 <= record.length && record.readUInt32LE(at) - (record[at]! & 15) === skippableMagic;
}

function endOfSkippable(record: Buffer, at: number): number {
  const size = at + skippableHeader <= record.length ? record.readUInt32LE(at + 4) : Number.POSITIVE_INFINITY;
  if (at + skippableHeader + size > record.length) throw new Error("a skippable frame is truncated");
  if (size > mostSkipped) throw new Error(`a skippable frame of ${size} bytes is not read`);
  return at + skippableHeader + size;
}

const leastChunk = 1 << 12;
const mostChunk = 1 << 20;

/**
 * Returns the output chunk size for zlib: the content size from the frame header (RFC 8878, section 3.1.1.1), clamped
 * because the header may omit it or be wrong.
 */
function chunkSize(record: Buffer, at: number): number {
  const descriptor = record[at + 4] ?? 0;
  const isSingle = (descriptor & 32) !== 0;
  const start = at + 5 + Number(!isSingle) + [0, 1, 2, 4][descriptor & 3]!;
  const size = [0, 2, 4, 4][descriptor >> 6]!;
  if (size === 0 || start + size > record.length) return 1 << 16;
  return Math.min(mostChunk, Math.max(leastChunk, record.readUIntLE(start, size) + (size === 2 ? 256 : 0)));
}
