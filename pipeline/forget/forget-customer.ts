import { randomUUID } from "node:crypto";
import type { DeltaTable } from "../delta/table.ts";
import { eventPosition } from "../domain/stream-position.ts";
import { readColumns } from "../parquet/read-columns.ts";
import type { Eraser, StreamRecord, ObjectStore } from "../ports.ts";
import { publishQuarantine } from "../silver/quarantine-table.ts";
import type { RefineContext } from "../silver/refine-silver.ts";
import { findInBronze, formerObjects, writeRedacted } from "./redact-bronze.ts";
import { redactQuarantine } from "./redact-quarantine.ts";
import { deleteOldVersions, redactSilver } from "./redact-silver.ts";

const mostNamed = 5;
const columnNames = ["customer_key", "order_id", "shard", "sequence_number", "record_index"];

/** What forgetting a customer changed. */
export interface ForgetSummary {
  /** Events of the customer, valid or not. */
  events: number;
  records: number;
  /** Bronze objects that were replaced by redacted ones. */
  bronzeObjects: number;
  /** Orders whose rows in silver were given the pseudonym's customer key. */
  orders: number;
  /** Rows of the quarantine whose payload was redacted. */
  quarantined: number;
  /** Data files of earlier versions that were deleted; time travel to these versions no longer works. */
  erasedFiles: number;
  /** Records that were rewritten in the stream itself. */
  streamRecords: number;
  /** Records that a stream that cannot be rewritten retains until its retention ends. */
  streamKeeps: number;
  /** Quarantined records that cannot be unpacked, and therefore were not searched. */
  unreadable: number;
  /** Keys of bronze objects that were not searched, because they are set aside or damaged. */
  unreadObjects: string[];
  /** Whether this run completed an earlier, interrupted one. */
  isResumed: boolean;
}

/** Rewrites records in the stream, or returns how many of them it keeps until its retention ends. */
export type RedactStream = (records: readonly StreamRecord[]) => Promise<{ rewritten: number; kept: number }>;

/** The stores, tables and stream to remove a customer from. */
export interface ForgetContext {
  refinery: RefineContext;
  eraser: Eraser;
  redactStream: RedactStream;
}

/**
 * Removes a customer from stream, bronze, silver and quarantine. Everything that has landed must be refined first. Each
 * step is idempotent, and the data that identifies the customer is deleted last, so that the next run completes an
 * interrupted one. Throws at the end if silver has orders of the customer that bronze does not have.
 */
export async function forgetCustomer(
  { refinery, eraser, redactStream }: ForgetContext,
  customerId: string,
): Promise<ForgetSummary> {
  const { store, silver, quarantine, clock } = refinery;
  const customerKey = refinery.customerKey(customerId);
  const { value: pseudonym, isResumed } = await reservePseudonym(store, customerKey);
  await publishQuarantine(refinery);
  const before = await rowsByCustomerKey(refinery, customerKey);
  const snapshot = await silver.snapshot();
  const found = await findInBronze(refinery, { customerId, pseudonym }, { snapshot, by: refinery });
  const { orders } = found.keys.size === 0 ? { orders: 0 } : await redactSilver(refinery, found);
  const { payloads: quarantined, unreadable } = await redactQuarantine(refinery, found);
  await writeRedacted(refinery, found);
  const { rewritten, kept } = await redactStream(found.records);
  const erasedFiles = await deleteOldVersions({ store, eraser, clock }, { silver, quarantine, customerKey });
  for (const key of formerObjects(found)) await eraser.erase(key);
  await checkSilver(refinery, { customerId, customerKey, before });
  await releasePseudonym(eraser, customerKey);
  return {
    events: found.positions.size,
    records: found.records.length,
    bronzeObjects: found.keys.size,
    orders,
    quarantined,
    erasedFiles,
    streamRecords: rewritten,
    streamKeeps: kept,
    unreadable,
    unreadObjects: [...found.unread],
    isResumed,
  };
}

/**
 * Throws if a row that was in silver before the run still has the customer key. Rows that arrived during the run belong
 * to a new customer with the same id.
 */
async function checkSilver(
  refinery: RefineContext,
  { customerId, customerKey, before }: { customerId: string; customerKey: string; before: ReadonlyMap<string, string> },
): Promise<void> {
  if (before.size === 0) return;
  const left = [...(await rowsByCustomerKey(refinery, customerKey))].filter(([position]) => before.has(position));
  if (left.length === 0) return;
  const named = left.slice(0, mostNamed).map(([position, orderId]) => `${orderId} (from ${position})`);
  throw new Error(
    `customer ${customerId} was removed wherever bronze names them, but ${left.length} of their orders are left in silver ` +
      `without an event in bronze: ${named.join(", ")}${left.length > mostNamed ? ", ..." : ""}; ` +
      "restore the missing bronze objects and forget again; if none is missing, ./pizza rebuild repairs silver",
  );
}

/** The id that replaces a customer's. It is stored only during the run, so that a retry after a crash reuses it. */
export interface Pseudonym {
  value: string;
  /** Whether it was reserved by an earlier, interrupted run. */
  isResumed: boolean;
}

/** Reserves a new pseudonym for a customer key, or returns the one that an interrupted run reserved. */
async function reservePseudonym(store: ObjectStore, customerKey: string): Promise<Pseudonym> {
  const drawn = `forgotten-${randomUUID().replaceAll("-", "").slice(0, 16)}`;
  const isNew = await store.put(keyOf(customerKey), Buffer.from(JSON.stringify({ pseudonym: drawn })), {
    ifAbsent: true,
  });
  if (isNew) return { value: drawn, isResumed: false };
  const known = await store.get(keyOf(customerKey));
  if (known === undefined) return await reservePseudonym(store, customerKey);
  const pseudonym = /^\{"pseudonym":"(forgotten-[0-9a-f]{16})"\}$/.exec(Buffer.from(known).toString())?.[1];
  if (pseudonym !== undefined) return { value: pseudonym, isResumed: true };
  throw new Error(
    `${keyOf(customerKey)} in the lake is damaged: it holds the pseudonym of an interrupted run; ` +
      "restore it from a copy, or remove it, and run the command again",
  );
}

/** Deletes the reservation: nothing links the customer to the pseudonym after that. */
async function releasePseudonym(eraser: Eraser, customerKey: string): Promise<void> {
  await eraser.erase(keyOf(customerKey));
}

function keyOf(customerKey: string): string {
  return `forgetting/${customerKey}.json`;
}

/** Returns silver's orders with a customer key: order ids by the stream position of their event. */
async function rowsByCustomerKey(
  { store, silver }: { store: ObjectStore; silver: DeltaTable },
  customerKey: string,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const { files, version } = await silver.snapshot();
  for (const { path } of files.values()) {
    const body = await store.get(`${silver.root}/${path}`);
    if (body === undefined)
      throw new Error(`silver file ${path} is in version ${version} of the log but not in the lake`);
    const { customer_key: keys } = await readColumns(body, ["customer_key"]);
    if (!keys!.includes(customerKey)) continue;
    const columns = await readColumns(body, columnNames);
    for (const [row, key] of keys!.entries()) {
      if (key !== customerKey) continue;
      const [shard, sequenceNumber] = [String(columns["shard"]![row]), String(columns["sequence_number"]![row])];
      const recordIndex = Number(columns["record_index"]![row]);
      found.set(eventPosition({ shard, sequenceNumber, recordIndex }), String(columns["order_id"]![row]));
    }
  }
  return found;
}
