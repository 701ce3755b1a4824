import { createHash } from "node:crypto";
import { type ColumnData, parquetRead, type SchemaElement } from "hyparquet";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { compressZstd, decompressors } from "../parquet/encoding.ts";
import type { StreamRecord } from "../ports.ts";
import { utcHour } from "../domain/dates.ts";
import { compareSequenceNumbers } from "../domain/stream-position.ts";

const text = { type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" } as const;
const digits = 56;
const pattern =
  /^bronze\/([^/]+)\/(\d{4}-\d\d-\d\dT\d\d)\/([^/]+)\/(\d{56})-(\d{56})-([1-9]\d*)-([0-9a-f]{16})\.parquet$/;

const schema: SchemaElement[] = [
  { name: "bronze_record", num_children: 6 },
  { name: "stream", ...text },
  { name: "shard", ...text },
  { name: "sequence_number", ...text },
  { name: "partition_key", ...text },
  {
    name: "arrived_at",
    type: "INT64",
    converted_type: "TIMESTAMP_MICROS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
    repetition_type: "REQUIRED",
  },
  { name: "payload", type: "BYTE_ARRAY", repetition_type: "REQUIRED" },
];

/** With fewer rows, compressing the columns other than the payload does not pay: it saves at most 150 bytes. */
const leastRowsToCompress = 16;

/**
 * Encodes records as a Parquet file: one row per record, in order, each with its exact payload. The same records
 * produce the same bytes. Payloads that are already compressed are stored as they are; others are compressed with zstd,
 * and so are the other columns if there are enough rows.
 */
export function encodeBronze(stream: string, records: readonly StreamRecord[]): Uint8Array {
  const buffer = parquetWriteBuffer({
    schema,
    columnData: columnsOf(stream, records),
    codec: records.length < leastRowsToCompress ? "UNCOMPRESSED" : "ZSTD",
    compressors: { ZSTD: compressZstd },
    rowGroupSize: Math.max(records.length, 1),
    statistics: false,
    createdBy: "pizza-sales bronze 1",
  });
  return new Uint8Array(buffer);
}

function columnsOf(stream: string, records: readonly StreamRecord[]): ColumnSource[] {
  return [
    { name: "stream", data: records.map(() => stream) },
    { name: "shard", data: records.map(({ shard }) => shard) },
    { name: "sequence_number", data: records.map(({ sequenceNumber }) => sequenceNumber), encoding: "PLAIN" },
    { name: "partition_key", data: records.map(({ partitionKey }) => partitionKey), encoding: "PLAIN" },
    { name: "arrived_at", data: records.map(({ arrivedAt }) => BigInt(arrivedAt) * 1000n), encoding: "PLAIN" },
    {
      name: "payload",
      data: records.map(({ data }) => data),
      encoding: "PLAIN",
      codec: mostlyCompressed(records) ? "UNCOMPRESSED" : "ZSTD",
    },
  ];
}

function mostlyCompressed(records: readonly StreamRecord[]): boolean {
  let plain = 0;
  for (const { data } of records) plain += isCompressed(data) ? -data.length : data.length;
  return plain <= 0;
}

function isCompressed(data: Uint8Array): boolean {
  const isZstd = data[0] === 0x28 && data[1] === 0xb5 && data[2] === 0x2f && data[3] === 0xfd;
  return isZstd || (data[0] === 0x1f && data[1] === 0x8b);
}

/** Decodes the records of a bronze object, in order, with their exact payloads; throws if it is not a bronze object. */
export async function decodeBronze(bytes: Uint8Array): Promise<StreamRecord[]> {
  const columns = new Map<string, unknown[]>();
  await parquetRead({
    file: fileOf(bytes),
    columns: ["shard", "sequence_number", "partition_key", "arrived_at", "payload"],
    compressors: decompressors,
    utf8: false,
    parsers: { timestampFromMicroseconds: (micros: bigint) => Number(micros / 1000n) },
    onChunk: ({ columnName, columnData, rowStart }: ColumnData) => {
      const column = columns.get(columnName) ?? [];
      columns.set(columnName, column);
      for (let index = 0; index < columnData.length; index += 1) column[rowStart + index] = columnData[index];
    },
  });
  return Array.from({ length: columns.get("payload")?.length ?? 0 }, (_, row) => recordAt(columns, row));
}

function recordAt(columns: ReadonlyMap<string, unknown[]>, row: number): StreamRecord {
  const [shard, sequenceNumber, partitionKey] = ["shard", "sequence_number", "partition_key"].map((name) =>
    String(columns.get(name)?.[row]),
  );
  const data = columns.get("payload")?.[row];
  const arrivedAt = columns.get("arrived_at")?.[row];
  if (shard === undefined || sequenceNumber === undefined || partitionKey === undefined) throw notBronze(row);
  if (!(data instanceof Uint8Array) || typeof arrivedAt !== "number") throw notBronze(row);
  return { shard, sequenceNumber, partitionKey, arrivedAt, data };
}

function notBronze(row: number): Error {
  return new Error(`Bronze object: row ${row} lacks columns of a record; check that the file is a bronze object`);
}

function fileOf(bytes: Uint8Array) {
  const { buffer, byteOffset, byteLength } = bytes;
  const slice = (start: number, end = byteLength) => {
    const copy = new Uint8Array(buffer, byteOffset, byteLength).slice(start, end);
    return copy.buffer;
  };
  return { byteLength, slice };
}

/** The parts of a bronze object's key. */
export interface BronzeName {
  stream: string;
  /** Hour of landing, UTC, `YYYY-MM-DDTHH`; never earlier than the first record's arrival. */
  hour: string;
  shard: string;
  /** First and last sequence number, decimal without leading zeros. */
  first: string;
  last: string;
  /** Records in the object. */
  count: number;
  /** First 16 hexadecimal digits of the SHA-256 of the object's bytes. */
  hash: string;
}

/** Returns the key prefix of a stream's bronze objects; the next part of a key is the hour of landing. */
export function bronzePrefix(stream: string): string {
  return `bronze/${stream}/`;
}

/**
 * Returns the key of the object with exactly these records of one shard. Within an hour, the same records have the same
 * key, so that writing them again changes nothing. The hour is that of landing: a shard that was blocked for days lands
 * under a new hour, so that the low watermark can pass old hours. Throws without records, or for several shards.
 */
export function bronzeKey({
  stream,
  records,
  body,
  landedAt,
}: {
  stream: string;
  records: readonly StreamRecord[];
  body: Uint8Array;
  /** Milliseconds since 1970. */
  landedAt: number;
}): string {
  const [first, last] = [records.at(0), records.at(-1)];
  if (!first || !last) throw new Error(`Bronze object of ${stream}: no records; land at least one at a time`);
  const other = records.find((record) => record.shard !== first.shard);
  if (other) {
    throw new Error(`Bronze object of ${stream}: records of ${first.shard} and ${other.shard}; land them separately`);
  }
  const hour = utcHour(Math.max(landedAt, first.arrivedAt));
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 16);
  const range = [first, last].map((record) => record.sequenceNumber.padStart(digits, "0")).join("-");
  return `${bronzePrefix(stream)}${hour}/${first.shard}/${range}-${records.length}-${hash}.parquet`;
}

/** Parses the key of a bronze object; undefined if the key has a different form. */
export function parseBronzeKey(key: string): BronzeName | undefined {
  const [, stream, hour, shard, first, last, count, hash] = pattern.exec(key) ?? [];
  if (!stream || !hour || !shard || !first || !last || !count || !hash) return undefined;
  return { stream, hour, shard, first: unpad(first), last: unpad(last), count: Number(count), hash };
}

/** Whether an object with this name may contain a record. */
export function spans(
  { shard, first, last }: Pick<BronzeName, "shard" | "first" | "last">,
  record: Pick<StreamRecord, "shard" | "sequenceNumber">,
): boolean {
  const { sequenceNumber } = record;
  const isFrom = compareSequenceNumbers(first, sequenceNumber) <= 0;
  return shard === record.shard && isFrom && compareSequenceNumbers(sequenceNumber, last) <= 0;
}

function unpad(sequenceNumber: string): string {
  return sequenceNumber.replace(/^0+(?=\d)/, "");
}
