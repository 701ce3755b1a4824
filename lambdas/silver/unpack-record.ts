import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { limits } from "../domain/limits.ts";
import { refuse, type Refusal } from "../domain/reasons.ts";

/** One event as it stood in a stream record: its text, or exactly the bytes that came and why they are no event. */
export type UnpackedEvent = { text: string } | { bytes: Buffer; refusal: Refusal };

/**
 * Takes a stream record apart: one event as JSON, or a batch of newline-delimited events compressed with zstd or gzip,
 * known by its magic number. The place in the answer is the event's index within the record.
 */
export function unpackRecord(data: Uint8Array): UnpackedEvent[] {
  const record = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (!isCompressed(record)) return [checkBytes(record)];
  const batch = decompress(record);
  if ("refusal" in batch) return [{ bytes: record, refusal: batch.refusal }];
  if (!isUtf8(batch.bytes)) return splitLines(batch.bytes).map(checkBytes);
  const texts = batch.bytes.toString("utf8").split("\n");
  if (texts.at(-1) === "") texts.pop();
  return texts.map(checkText);
}

/** The first 64 bits of the SHA-256 of an event's bytes in UTF-8, signed as Parquet and SQL hold them. */
export function payloadHash(text: string): bigint {
  return BigInt.asIntN(64, BigInt(`0x${hash("sha256", text, "hex").slice(0, 16)}`));
}

function isCompressed(record: Buffer): boolean {
  return isZstd(record) || isGzip(record);
}

function isZstd(record: Buffer): boolean {
  return record.length >= 4 && record.readUInt32LE(0) === 0xfd2fb528;
}

function isGzip(record: Buffer): boolean {
  return record.length >= 2 && record[0] === 0x1f && record[1] === 0x8b;
}

function decompress(record: Buffer): { bytes: Buffer } | { refusal: Refusal } {
  try {
    return {
      bytes: isGzip(record) ? gunzipSync(record, { maxOutputLength: limits.batchBytes }) : unpackFrames(record),
    };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    return refuse(code === "ERR_BUFFER_TOO_LARGE" ? "batch_too_large" : "batch_corrupt", "record", code);
  }
}

/** Frame by frame: zlib stops after the first one without a word, and what follows would be lost. */
function unpackFrames(record: Buffer): Buffer {
  const frames: Buffer[] = [];
  let room: number = limits.batchBytes;
  for (let at = 0; at < record.length;) {
    // The typings know the answer with `info` for the other codecs only.
    const { buffer, engine } = zstdDecompressSync(record.subarray(at), {
      info: true,
      maxOutputLength: Math.max(room, 1),
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    frames.push(buffer);
    room -= buffer.length;
    at += engine.bytesWritten;
  }
  return frames.length === 1 ? frames[0]! : Buffer.concat(frames);
}

function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

function checkBytes(bytes: Buffer): UnpackedEvent {
  if (bytes.length > limits.eventBytes) return tooLarge(bytes);
  return isUtf8(bytes) ? { text: bytes.toString("utf8") } : { bytes, ...refuse("bad_utf8", "event") };
}

function checkText(text: string): UnpackedEvent {
  // No character takes more than three bytes for each unit of its length.
  if (text.length * 3 <= limits.eventBytes || Buffer.byteLength(text) <= limits.eventBytes) return { text };
  return tooLarge(Buffer.from(text));
}

function tooLarge(bytes: Buffer): UnpackedEvent {
  return { bytes, ...refuse("event_too_large", `event of ${bytes.length} bytes`) };
}
