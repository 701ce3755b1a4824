import type { ColumnChunk, RowGroup } from "hyparquet";
import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import type { Column } from "../domain/silver-columns.ts";
import { writeColumnChunk } from "./column-chunk.ts";
import type { Bounds, ColumnBuffer } from "./column-buffer.ts";
import { fileStats, joinBounds, statisticsColumns, type FileStats } from "./file-stats.ts";
import { parquetSchema } from "./parquet-schema.ts";

const rowGroupRows = 1 << 19;
const magic = 0x31524150;

/** A finished Parquet file. */
export interface WrittenTable {
  body: Uint8Array;
  rows: number;
  stats: FileStats;
}

type Buffers = ReadonlyMap<string, ColumnBuffer>;

/** Writes the columns as one file; throws where they do not have the same number of rows. */
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
    throw new Error(
      `column ${name}: it has ${buffer.rows} rows where ${first} has ${rows}; push each row to every column`,
    );
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
