import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** One zstd frame, at the fastest level: measured, a higher one costs more time than the few bytes are worth. */
export function compressZstd(body: Uint8Array): Uint8Array {
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  return zstdCompressSync(body, { pledgedSrcSize: body.length, params });
}

/** The codecs for reading Parquet with hyparquet; a page never unpacks to more than its header says. */
export const decompressors = {
  ZSTD: (body: Uint8Array, size: number): Uint8Array =>
    size === 0 ? new Uint8Array() : zstdDecompressSync(body, { maxOutputLength: size }),
};
