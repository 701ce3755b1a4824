import { hash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { syncFolder } from "../../../adapters/folder-files.ts";
import type { OutgoingRecord } from "../../../pipeline/ports.ts";
import { readIfPresent, replaceFile } from "./durable-files.ts";
import { StreamDamaged } from "./segment.ts";

/** One shard of a stream: a range of the 128-bit hash key space, and the parent shards whose range it took over. */
export interface Shard extends ShardIdentity {
  /** `shardId-` and twelve digits. */
  id: string;
  parents: string[];
  /** First and last hash key of its range, decimal. */
  startingHashKey: string;
  endingHashKey: string;
  /** A closed shard accepts no more records; it is read to its end before its children. */
  closed: boolean;
}

const hashSpace = 2n ** 128n;
const fileName = "shard-map.json";

/** The shard map of a new stream: `count` shards of equal range. */
export function firstShards(count: number, createdAt: number): Shard[] {
  return equalShards({ count, createdAt, firstIndex: 0, parents: [] });
}

/**
 * The shard map after closing every open shard and opening `count` new ones; parents are the overlapping open shards.
 */
export function resharded(shards: readonly Shard[], count: number, createdAt: number): Shard[] {
  const parents = shards.filter((shard) => !shard.closed);
  const children = equalShards({ count, createdAt, firstIndex: shards.length, parents });
  return [...shards.map((shard) => ({ ...shard, closed: true })), ...children];
}

function equalShards({
  count,
  createdAt,
  firstIndex,
  parents,
}: {
  count: number;
  createdAt: number;
  firstIndex: number;
  parents: readonly Shard[];
}): Shard[] {
  if (!Number.isSafeInteger(count) || count < 1 || count > 10_000) {
    throw new Error(`Stream: ${count} shards: give a whole number from 1 to 10000`);
  }
  return Array.from({ length: count }, (_, position) => {
    const start = (hashSpace * BigInt(position)) / BigInt(count);
    const end = (hashSpace * BigInt(position + 1)) / BigInt(count) - 1n;
    const overlaps = (shard: Shard) => BigInt(shard.startingHashKey) <= end && BigInt(shard.endingHashKey) >= start;
    return {
      id: `shardId-${String(firstIndex + position).padStart(12, "0")}`,
      index: firstIndex + position,
      createdAt,
      parents: parents.filter(overlaps).map(({ id }) => id),
      startingHashKey: String(start),
      endingHashKey: String(end),
      closed: false,
    };
  });
}

/** Hash key of a record: the explicit one, else the MD5 of the partition key, as in Kinesis. */
export function hashKeyOf({ partitionKey, explicitHashKey }: OutgoingRecord): bigint {
  return explicitHashKey === undefined ? BigInt(`0x${hash("md5", partitionKey)}`) : BigInt(explicitHashKey);
}

/**
 * Reads the shard map of a stream's folder; undefined for a new stream. Throws StreamDamaged if it is damaged or lost.
 */
export async function readShardMap(folder: string): Promise<Shard[] | undefined> {
  const path = join(folder, fileName);
  const text = await readIfPresent(path);
  if (text === undefined) {
    // The map is written before the first shard is opened. A new one would number every record again.
    const isLost = (await readdir(folder)).some((name) => name.startsWith("shardId-"));
    if (!isLost) return undefined;
    throw new StreamDamaged(`Shard map ${path} is missing: put it back from a copy of the data directory`);
  }
  try {
    const { format } = formatOf.parse(JSON.parse(text));
    if (format !== 1) throw new UnknownFormat(`unknown format ${format}: open it with the version that wrote it`);
    return shardMap.parse(JSON.parse(text)).shards;
  } catch (cause) {
    if (cause instanceof UnknownFormat) throw new Error(`Shard map ${path}: ${cause.message}`, { cause });
    throw new StreamDamaged(`Shard map ${path} is damaged: put it back from a copy of the data directory`, { cause });
  }
}

class UnknownFormat extends Error {}

const formatOf = z.object({ format: z.number() });
const hashKey = z.string().regex(/^\d{1,39}$/);
const shardMap = z.object({
  shards: z
    .array(
      z.object({
        id: z.string().regex(/^shardId-\d{12}$/),
        index: z.int().min(0),
        createdAt: z.int().min(0),
        parents: z.array(z.string()),
        startingHashKey: hashKey,
        endingHashKey: hashKey,
        closed: z.boolean(),
      }),
    )
    .min(1),
});

/** Writes the shard map of a stream's folder, atomically and durably. */
export async function writeShardMap(folder: string, shards: readonly Shard[]): Promise<void> {
  await replaceFile(join(folder, fileName), `${JSON.stringify({ format: 1, shards }, undefined, 2)}\n`);
  await syncFolder(folder);
}

/** Parts of a sequence number that identify its shard. */
interface ShardIdentity {
  /** Index of the shard within its stream, from 0. */
  index: number;
  /** Milliseconds since 1970. */
  createdAt: number;
}

const ordinalDigits = 36;

/**
 * The sequence number of the record with that ordinal (from 0) in its shard: 56 decimal digits, ascending within a
 * shard and from a shard to its children, and unique across shards and streams, even for a stream recreated under the
 * same name.
 */
export function sequenceNumberAt(shard: ShardIdentity, ordinal: number): string {
  return prefixOf(shard) + String(ordinal).padStart(ordinalDigits, "0");
}

/** The ordinal in a sequence number; undefined if it belongs to another shard. */
export function ordinalOf(shard: ShardIdentity, sequenceNumber: string): number | undefined {
  const prefix = prefixOf(shard);
  const isOurs = sequenceNumber.length === prefix.length + ordinalDigits && sequenceNumber.startsWith(prefix);
  return isOurs ? Number(sequenceNumber.slice(prefix.length)) : undefined;
}

function prefixOf({ index, createdAt }: ShardIdentity): string {
  return `49${String(createdAt).padStart(13, "0")}${String(index).padStart(5, "0")}`;
}
