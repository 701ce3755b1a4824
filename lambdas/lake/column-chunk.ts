import type { ColumnChunk, PageHeader, SchemaElement } from "hyparquet";
import type { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";
import { areUsable, type Bounds } from "./column-buffer.ts";
import type { EncodedColumn } from "./page-encoding.ts";
import { compressZstd } from "./zstd.ts";

/** Fewer bytes than this are not worth a compressor's frame. */
const leastToCompress = 64;

interface Part {
  header: Omit<PageHeader, "uncompressed_page_size" | "compressed_page_size">;
  body: Uint8Array;
}

/** Appends a column chunk, compressed where that pays, and returns what the footer says of it. */
export function writeColumnChunk(
  out: ByteWriter,
  { element, encoded, bounds }: { element: SchemaElement; encoded: EncodedColumn; bounds: Bounds | undefined },
): ColumnChunk {
  const raw = partsOf(encoded);
  const size = sizeOf(raw);
  const packed = size < leastToCompress ? raw : raw.map((part) => ({ ...part, body: compressZstd(part.body) }));
  const isPacked = sizeOf(packed) < size;
  const start = out.offset;
  const offsets = (isPacked ? packed : raw).map(({ header, body }, index) => {
    const offset = out.offset;
    writePart(out, { header, body, size: raw[index]!.body.length });
    return offset;
  });
  const headers = out.offset - start - sizeOf(isPacked ? packed : raw);
  const rows = encoded.pages.reduce((sum, page) => sum + page.rows, 0);
  return {
    file_offset: 0n,
    meta_data: {
      type: element.type!,
      encodings: encoded.dictionary ? ["PLAIN", "RLE", "RLE_DICTIONARY"] : ["PLAIN", "RLE"],
      path_in_schema: [element.name],
      codec: isPacked ? "ZSTD" : "UNCOMPRESSED",
      num_values: BigInt(rows),
      total_uncompressed_size: BigInt(size + headers),
      total_compressed_size: BigInt(out.offset - start),
      data_page_offset: BigInt(offsets[encoded.dictionary ? 1 : 0]!),
      ...(encoded.dictionary && { dictionary_page_offset: BigInt(start) }),
      ...(bounds && areUsable(bounds) && { statistics: statisticsOf(bounds, encoded.nullCount) }),
    },
  };
}

function partsOf({ dictionary, pages }: EncodedColumn): Part[] {
  const encoding = dictionary ? "RLE_DICTIONARY" : "PLAIN";
  const levels = { definition_level_encoding: "RLE", repetition_level_encoding: "RLE" } as const;
  const data = pages.map(({ rows, body }) => ({
    header: { type: "DATA_PAGE", data_page_header: { num_values: rows, encoding, ...levels } } as const,
    body,
  }));
  if (dictionary === undefined) return data;
  const { count, body } = dictionary;
  const header = { type: "DICTIONARY_PAGE", dictionary_page_header: { num_values: count, encoding: "PLAIN" } } as const;
  return [{ header, body }, ...data];
}

function writePart(out: ByteWriter, { header, body, size }: Part & { size: number }): void {
  const sizes = { uncompressed_page_size: size, compressed_page_size: body.length };
  writePageHeader(out, { ...header, ...sizes });
  out.appendBytes(body);
}

function statisticsOf({ min, max }: Bounds, nullCount: number) {
  const exactness = typeof min === "string" ? { is_min_value_exact: false, is_max_value_exact: false } : {};
  return { min_value: min, max_value: max, null_count: BigInt(nullCount), ...exactness };
}

function sizeOf(parts: readonly { body: Uint8Array }[]): number {
  return parts.reduce((size, { body }) => size + body.length, 0);
}
