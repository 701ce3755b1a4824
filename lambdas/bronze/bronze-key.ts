import { createHash } from "node:crypto";
import type { StreamRecord } from "../ports.ts";

/** What the name of a bronze object says about its content. */
export interface BronzeName {
  stream: string;
  /** Hour of landing, UTC, `YYYY-MM-DDTHH`; never before the first record's arrival. */
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

const digits = 56;
const pattern =
  /^bronze\/([^/]+)\/(\d{4}-\d\d-\d\dT\d\d)\/([^/]+)\/(\d{56})-(\d{56})-([1-9]\d*)-([0-9a-f]{16})\.parquet$/;

/** Everything below this belongs to one stream; the next part of a key is the hour of landing. */
export function bronzePrefix(stream: string): string {
  return `bronze/${stream}/`;
}

/**
 * The key of the object that holds exactly these records of one shard. Equal records have the equal key within an hour,
 * so writing them again touches nothing. The hour is that of landing: a shard that was blocked for days lands under a
 * new hour, so that a reader may settle old ones.
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
  const stranger = records.find((record) => record.shard !== first.shard);
  if (stranger) {
    throw new Error(`Bronze object of ${stream}: records of ${first.shard} and ${stranger.shard}; land each by itself`);
  }
  const hour = new Date(Math.max(landedAt, first.arrivedAt)).toISOString().slice(0, 13);
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 16);
  const range = [first, last].map((record) => record.sequenceNumber.padStart(digits, "0")).join("-");
  return `${bronzePrefix(stream)}${hour}/${first.shard}/${range}-${records.length}-${hash}.parquet`;
}

/** Reads a key back; undefined for a key that is not one of ours. */
export function parseBronzeKey(key: string): BronzeName | undefined {
  const [, stream, hour, shard, first, last, count, hash] = pattern.exec(key) ?? [];
  if (!stream || !hour || !shard || !first || !last || !count || !hash) return undefined;
  return { stream, hour, shard, first: unpad(first), last: unpad(last), count: Number(count), hash };
}

/** Whether a record may lie in an object with this name. */
export function spans(
  { shard, first, last }: Pick<BronzeName, "shard" | "first" | "last">,
  record: Pick<StreamRecord, "shard" | "sequenceNumber">,
): boolean {
  const place = BigInt(record.sequenceNumber);
  return shard === record.shard && BigInt(first) <= place && place <= BigInt(last);
}

function unpad(sequenceNumber: string): string {
  return sequenceNumber.replace(/^0+(?=\d)/, "");
}
