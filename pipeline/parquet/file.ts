import type { ColumnChunk, RowGroup, PageHeader, SchemaElement } from "hyparquet";
import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import type { Column } from "../silver/columns.ts";
import { type Bounds, type ColumnBuffer, areUsable } from "./column.ts";
import { type EncodedColumn, compressZstd } from "./encoding.ts";
import { fileStats, joinBounds, statisticsColumns, type FileStats } from "./file-stats.ts";

const rowGroupRows = 1 << 19;
const magic = 0x31524150;
/** Below this many bytes, compression does not pay for its frame. */
const leastToCompress = 64;

/** The Parquet types of the column types. */
const storedAs = {
  string: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
  int: { type: "INT32" },
  long: { type: "INT64" },
  boolean: { type: "BOOLEAN" },
  timestamp: {
    type: "INT64",
    converted_type: "TIMESTAMP_MICROS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
  },
} as const;

/** A complete Parquet file. */
export interface WrittenTable {
  body: Uint8Array;
  rows: number;
  stats: FileStats;
}

type Buffers = ReadonlyMap<string, ColumnBuffer>;

/** Writes the columns as one file; throws if they have different numbers of rows. */
export function writeParquet(columns: readonly Column[], buffers: Buffers): WrittenTable {
  const rows = commonRows(columns, buffers);
  const out = new ByteWriter(1 << 14);
  out.appendUint32(magic);
  const schema = parquetSchema(columns);
  const withBounds = statisticsColumns(columns);
  const whole = new Map<string, Bounds>();
  const row_groups: RowGroup[] = [];
  for (let from = 0; from < rows; from += rowGroupRows) {
    const to = Math.min(rows, from + rowGroupRows);
    const chunks = columns.map((column, index) => {
      const buffer = buffers.get(column.name)!;
      const bounds = withBounds.includes(column) ? buffer.bounds(from, to) : undefined;
      if (bounds !== undefined) joinBounds(whole, column.name, bounds);
      return writeColumnChunk(out, { element: schema[index + 1]!, encoded: buffer.encode(from, to), bounds });
    });
    row_groups.push(rowGroup(chunks, to - from));
  }
  const metadata = { version: 2, created_by: "pizza lake", schema, num_rows: BigInt(rows), row_groups };
  writeMetadata(out, { ...metadata, metadata_length: 0 }, Infinity);
  out.appendUint32(magic);
  return { body: out.getBytes(), rows, stats: fileStats({ rows, columns: withBounds, bounds: whole, buffers }) };
}

function commonRows(columns: readonly Column[], buffers: Buffers): number {
  const first = columns[0]!.name;
  const { rows } = buffers.get(first)!;
  for (const [name, buffer] of buffers) {
    if (buffer.rows === rows) continue;
    throw new Error(`column ${name} has ${buffer.rows} rows but ${first} has ${rows}; push each row to every column`);
  }
  return rows;
}

function rowGroup(columns: ColumnChunk[], rows: number): RowGroup {
  const total = (size: "total_uncompressed_size" | "total_compressed_size") =>
    columns.reduce((sum, { meta_data }) => sum + meta_data![size], 0n);
  return {
    columns,
    num_rows: BigInt(rows),
    total_byte_size: total("total_uncompressed_size"),
    total_compressed_size: total("total_compressed_size"),
  };
}

interface Part {
  header: Omit<PageHeader, "uncompressed_page_size" | "compressed_page_size">;
  body: Uint8Array;
}

/** Appends a column chunk, compressed if that pays, and returns its footer entry. */
function writeColumnChunk(
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

/** Returns the Parquet schema of a flat table: the root, then one element per column. */
function parquetSchema(columns: readonly Column[]): SchemaElement[] {
  return [
    { name: "root", num_children: columns.length },
    ...columns.map(({ name, type, nullable }): SchemaElement => ({
      name,
      repetition_type: nullable ? "OPTIONAL" : "REQUIRED",
      ...storedAs[type],
    })),
  ];
}
