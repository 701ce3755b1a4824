import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { limits, reject, type Rejection } from "../domain/rejection-reasons.ts";

/** One event of a stream record: its text, or its exact bytes and why they are not a valid event. */
export type UnpackedEvent = { text: string } | { bytes: Buffer; rejection: Rejection };

/** The decompressed bytes of a stream record, or the original bytes and why they cannot be decompressed. */
export type UnpackedRecord = { bytes: Buffer; isBatch: boolean } | { bytes: Buffer; rejection: Rejection };

/**
 * Decompresses a stream record. A record is one JSON event, or a batch of newline-delimited events compressed with zstd
 * or gzip, which its magic number shows.
 */
export function unpackBytes(data: Uint8Array): UnpackedRecord {
  const record = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (!isCompressed(record)) return { bytes: record, isBatch: false };
  const batch = decompress(record);
  return "rejection" in batch ? { bytes: record, rejection: batch.rejection } : { bytes: batch.bytes, isBatch: true };
}

/** Splits a stream record into its events. An event's index in the result is its `record_index`. */
export function unpackRecord(data: Uint8Array): UnpackedEvent[] {
  const record = unpackBytes(data);
  if ("rejection" in record) return [record];
  const { bytes, isBatch } = record;
  if (!isBatch) return [eventOf(bytes)];
  const events: UnpackedEvent[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = endOfLine(bytes, start);
    events.push(eventOf(bytes.subarray(start, end)));
    start = end + 1;
  }
  return events;
}

/** Returns the bytes of the event at an index of a stream record; the record must have that many events. */
export function eventBytes(data: Uint8Array, index: number): Buffer {
  const { bytes, ...record } = unpackBytes(data);
  if (!("isBatch" in record) || !record.isBatch) return bytes;
  let start = 0;
  for (let line = 0; line < index; line++) start = endOfLine(bytes, start) + 1;
  return bytes.subarray(start, endOfLine(bytes, start));
}

/** Returns the end (exclusive) of the line of a batch that begins at `start`. */
export function endOfLine(bytes: Buffer, start: number): number {
  const newline = bytes.indexOf(10, start);
  return newline === -1 ? bytes.length : newline;
}

/** Decodes one event's bytes as text, or rejects them if they exceed the limit or are not valid UTF-8. */
export function eventOf(bytes: Buffer): UnpackedEvent {
  if (bytes.length > limits.eventBytes) {
    return { bytes, ...reject("event_too_large", `event of ${bytes.length} bytes`) };
  }
  return isUtf8(bytes) ? { text: bytes.toString("utf8") } : { bytes, ...reject("bad_utf8", "event") };
}

/**
 * Returns the first 64 bits of the SHA-256 of an event's UTF-8 bytes, as a signed integer (Parquet INT64, SQL bigint).
 */
export function payloadHash(event: string | Uint8Array): bigint {
  // Latin-1 text: allocating a buffer or hexadecimal digits takes longer than hashing a short event.
  const digest = hash("sha256", event, "binary");
  for (let index = 0; index < 8; index++) firstBytes[index] = digest.charCodeAt(index);
  return firstEight.getBigInt64(0);
}

const firstBytes = new Uint8Array(8);
const firstEight = new DataView(firstBytes.buffer);

function isCompressed(record: Buffer): boolean {
  return isZstd(record) || isGzip(record);
}

function isZstd(record: Buffer): boolean {
  return record.length >= 4 && record.readUInt32LE(0) === 0xfd2fb528;
}

function isGzip(record: Buffer): boolean {
  return record.length >= 2 && record[0] === 0x1f && record[1] === 0x8b;
}

function decompress(record: Buffer): { bytes: Buffer } | { rejection: Rejection } {
  try {
    return {
      bytes: isGzip(record) ? gunzipSync(record, { maxOutputLength: limits.batchBytes }) : unpackFrames(record),
    };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    return reject(code === "ERR_BUFFER_TOO_LARGE" ? "batch_too_large" : "batch_corrupt", "record", code);
  }
}

/** Decompresses frame by frame: zlib silently stops after the first frame, and the rest would be lost. */
function unpackFrames(record: Buffer): Buffer {
  const frames: Buffer[] = [];
  let room: number = limits.batchBytes;
  for (let at = 0; at < record.length;) {
    // The typings declare the result of `info` only for the other codecs.
    const { buffer, engine } = zstdDecompressSync(record.subarray(at), {
      info: true,
      maxOutputLength: Math.max(room, 1),
      chunkSize: chunkSize(record, at),
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    frames.push(buffer);
    room -= buffer.length;
    at += engine.bytesWritten;
  }
  return frames.length === 1 ? frames[0]! : Buffer.concat(frames);
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
