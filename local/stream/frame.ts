import { crc32 } from "node:zlib";

/** A record as a segment file holds it. */
export interface Frame {
  /** Place of the record in its shard, from 0. */
  ordinal: number;
  /** Milliseconds since 1970. */
  arrivedAt: number;
  partitionKey: string;
  data: Uint8Array;
}

/** Layout: mark, length of the body, CRC-32 of the body (4 bytes each), then ordinal and arrival (6 each), key length (2), key, data. */
const mark = 0xf5_50_5a_31;
const markBytes = Buffer.from([0xf5, 0x50, 0x5a, 0x31]);
const headBytes = 12;
const fixedBytes = 14;
const longestBody = 2 * 1024 * 1024;

/** Bytes that a frame will take. */
export function frameSize(partitionKey: string, data: Uint8Array): number {
  return headBytes + fixedBytes + Buffer.byteLength(partitionKey) + data.length;
}

/** Writes a frame into `target` at `offset` and returns where it ends. */
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
 * The frame that begins at `offset`, its data a view of `source`, and where it ends. "short" says that `source` ends
 * before the frame does, "damaged" that these are not the bytes that were written.
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

/** Whether a whole frame with an ordinal from `ordinal` on begins anywhere in `source`. */
export function holdsLaterFrame(source: Buffer, ordinal: number): boolean {
  for (let at = source.indexOf(markBytes); at >= 0; at = source.indexOf(markBytes, at + 1)) {
    const frame = readFrame(source, at);
    if (typeof frame === "object" && frame.ordinal >= ordinal) return true;
  }
  return false;
}
