import { zstdDecompressSync } from "node:zlib";
import { z } from "zod";
import { decodeBronze } from "../pipeline/bronze/bronze-object.ts";
import type { Catalog } from "../pipeline/domain/catalog.ts";
import type { ObjectStore } from "../pipeline/ports.ts";
import { readPlain } from "./plain-landing.ts";
import { plainRows, writePlainRows, type PlainEvent, type PlainRow } from "./plain-rows.ts";

const text = (longest: number) => z.string().min(1).max(longest);

/** The contract as a zod schema. */
const orderEvent = z.strictObject({
  schema_version: z.literal(1),
  order_id: text(64).regex(/^[\x21-\x7e]+$/),
  revision: z.int().min(0).max(1_000_000),
  status: z.enum(["placed", "amended", "cancelled", "refunded"]),
  ordered_at: z.string().max(35),
  emitted_at: z.string().max(35),
  store_id: text(64),
  channel: z.enum(["dine_in", "takeaway", "delivery", "online"]),
  customer: z
    .strictObject({
      customer_id: text(64),
      name: z.string().max(200).optional(),
      email: z.string().max(254).optional(),
      phone: z.string().max(40).optional(),
      city: z.string().max(100).optional(),
      postal_code: z.string().max(20).optional(),
    })
    .optional(),
  lines: z
    .array(
      z.strictObject({
        line_no: z.int().min(1).max(1_000_000),
        pizza_id: text(64),
        quantity: z.int().min(1).max(100),
        unit_price: z.number().min(0).max(10_000),
      }),
    )
    .min(1)
    .max(200),
  producer: z.strictObject({ producer_id: text(64), seq: z.int().min(0) }),
});

/** Result of a naive refining. */
export interface PlainSilver {
  lines: number;
  bytes: number;
}

/**
 * The naive implementation: one event per record, JSON.parse, zod, row objects, one file per day and object. It
 * deduplicates order ids only within an object, without revisions, conflicts, quarantine or a record of what it has
 * read.
 */
export async function refineNaive(from: ObjectStore, to: ObjectStore, catalog: Catalog): Promise<PlainSilver> {
  const silver = { lines: 0, bytes: 0 };
  for (const [index, { key }] of (await from.list("plain/")).entries()) {
    const days = new Map<string, PlainRow[]>();
    const seen = new Set<string>();
    for (const { payload, ...origin } of await readPlain((await from.get(key))!)) {
      const event = orderEvent.parse(JSON.parse(payload));
      if (seen.has(event.order_id)) continue;
      seen.add(event.order_id);
      silver.lines += addRows(days, event, { ...origin, record_index: 0 }, catalog);
    }
    silver.bytes += await writePlainRows(to, String(index), days);
  }
  return silver;
}

/** Parses and writes the same batches as ours, without validation, merge and Delta log. */
export async function parseAndWrite(from: ObjectStore, to: ObjectStore, catalog: Catalog): Promise<PlainSilver> {
  const silver = { lines: 0, bytes: 0 };
  for (const [index, { key }] of (await from.list("bronze/")).entries()) {
    const days = new Map<string, PlainRow[]>();
    for (const { shard, sequenceNumber, arrivedAt, data } of await decodeBronze((await from.get(key))!)) {
      const origin = { shard, sequence_number: sequenceNumber, arrived_at: BigInt(arrivedAt) };
      for (const [record_index, line] of zstdDecompressSync(data).toString().split("\n").entries()) {
        silver.lines += addRows(days, parseEvent(line), { ...origin, record_index }, catalog);
      }
    }
    silver.bytes += await writePlainRows(to, String(index), days);
  }
  return silver;
}

function parseEvent(line: string): PlainEvent {
  const event: PlainEvent = JSON.parse(line);
  return event;
}

function addRows(
  days: Map<string, PlainRow[]>,
  event: PlainEvent,
  origin: Parameters<typeof plainRows>[1],
  catalog: Catalog,
): number {
  const date = event.ordered_at.slice(0, 10);
  let rows = days.get(date);
  if (rows === undefined) days.set(date, (rows = []));
  const added = plainRows(event, origin, catalog);
  for (const row of added) rows.push(row);
  return added.length;
}
