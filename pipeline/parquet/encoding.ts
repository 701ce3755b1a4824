import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** One data page, uncompressed. */
export interface Page {
  /** Number of rows, including nulls. */
  rows: number;
  body: Uint8Array;
}

/** Some rows of one column, encoded as the pages of a Parquet column chunk. */
export interface EncodedColumn {
  /** Distinct values in PLAIN. With a dictionary, pages hold indexes (RLE_DICTIONARY); without one, values (PLAIN). */
  dictionary?: { count: number; body: Uint8Array };
  pages: Page[];
  nullCount: number;
}

/**
 * Encodes dictionary indexes as a page body: the bit width, then one run. The width is rounded up to whole bytes,
 * because zstd finds only byte-aligned repeats: bit-packed, the same column compresses worse and more slowly.
 */
export function encodeIndices(indices: Uint32Array, distinct: number): Uint8Array {
  const width = distinct <= 0x100 ? 1 : distinct <= 0x10000 ? 2 : 3;
  if (indices.every((index) => index === indices[0])) {
    return Uint8Array.from([width * 8, ...varint(indices.length * 2), ...littleEndian(indices[0] ?? 0, width)]);
  }
  const header = [width * 8, ...varint(Math.ceil(indices.length / 8) * 2 + 1)];
  const body = new Uint8Array(header.length + Math.ceil(indices.length / 8) * 8 * width);
  body.set(header);
  if (width === 1) body.set(indices, header.length);
  else writeWide(body, { indices, width, start: header.length });
  return body;
}

function writeWide(
  body: Uint8Array,
  { indices, width, start }: { indices: Uint32Array; width: number; start: number },
) {
  let offset = start;
  for (const index of indices) {
    body[offset] = index;
    body[offset + 1] = index >>> 8;
    if (width > 2) body[offset + 2] = index >>> 16;
    offset += width;
  }
}

/** Encodes the definition levels of an optional column (1: value, 0: null), which precede the values in a page. */
export function encodeLevels(present: Uint8Array): Uint8Array {
  const isUniform = present.every((level) => level === present[0]);
  const run = isUniform
    ? [...varint(present.length * 2), present[0] ?? 0]
    : [...varint(Math.ceil(present.length / 8) * 2 + 1)];
  const bits = isUniform ? new Uint8Array() : packBits(present);
  return concat([Uint8Array.from(littleEndian(run.length + bits.length, 4)), Uint8Array.from(run), bits]);
}

/** Packs flags into bits, lowest bit first: 1 for each nonzero byte. */
export function packBits(flags: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(flags.length / 8));
  for (let index = 0; index < flags.length; index++) {
    if (flags[index] !== 0) bits[index >> 3]! |= 1 << (index & 7);
  }
  return bits;
}

/** Concatenates parts; a single part is returned without a copy. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function varint(value: number): number[] {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

function littleEndian(value: number, width: number): number[] {
  return Array.from({ length: width }, (_, byte) => (value >>> (byte * 8)) & 255);
}

/** Compresses into one zstd frame at level 1: in benchmarks, higher levels cost much more time and save few bytes. */
export function compressZstd(body: Uint8Array): Uint8Array {
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  return zstdCompressSync(body, { pledgedSrcSize: body.length, params });
}

/** The codecs for reading Parquet with hyparquet; a page cannot decompress to more than the size in its header. */
export const decompressors = {
  ZSTD: (body: Uint8Array, size: number): Uint8Array =>
    size === 0 ? new Uint8Array() : zstdDecompressSync(body, { maxOutputLength: size }),
};
