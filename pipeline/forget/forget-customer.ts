import { randomUUID } from "node:crypto";
import type { DeltaTable } from "../delta/table.ts";
import { eventPosition } from "../domain/stream-position.ts";
import { readColumns } from "../parquet/read-columns.ts";
import type { Eraser, StreamRecord, ObjectStore } from "../ports.ts";
import { publishQuarantine } from "../silver/quarantine-table.ts";
import type { Refinery } from "../silver/refine-silver.ts";
import { findInBronze, formerObjects, writeRedacted } from "./redact-bronze.ts";
import { redactQuarantine } from "./redact-quarantine.ts";
import { deleteOldVersions, redactSilver } from "./redact-silver.ts";

/** What forgetting a customer changed. */
export interface ForgetSummary {
  /** Events that named the customer, of any kind. */
  events: number;
  records: number;
  /** Bronze objects that were replaced by others without the customer. */
  bronzeObjects: number;
  /** Orders whose rows in silver have another customer key now. */
  orders: number;
  /** Rows of the quarantine whose payload was redacted. */
  quarantined: number;
  /** Data files of earlier versions that were removed: they cannot be read by time travel any more. */
  erasedFiles: number;
  /** Records that were rewritten in the stream itself. */
  streamRecords: number;
  /** Records that a stream which cannot be rewritten still holds until its retention ends. */
  streamKeeps: number;
  /** Quarantined records that cannot be unpacked, and so were not looked into. */
  unreadable: number;
  /** True where an earlier run had not come to its end, and this one went on from there. */
  isResumed: boolean;
}

/** The stream's part: it rewrites its records, or says how many of them it keeps for a while. */
export type RedactStream = (records: readonly StreamRecord[]) => Promise<{ rewritten: number; kept: number }>;

export interface ForgetContext {
  refinery: Refinery;
  eraser: Eraser;
  redactStream: RedactStream;
}

/**
 * Takes a customer out of stream, bronze, silver and quarantine. All that has landed has to be refined before. Each step may
 * be repeated, and what names the customer is removed last: a run that was killed is completed by the next one. Throws
 * at the end where silver holds orders of theirs that bronze does not.
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
    events: found.places.size,
    records: found.records.length,
    bronzeObjects: found.keys.size,
    orders,
    quarantined,
    erasedFiles,
    streamRecords: rewritten,
    streamKeeps: kept,
    unreadable,
    isResumed,
  };
}

const mostNamed = 5;

/** Throws where a row that was silver's at the beginning still bears the token; what came meanwhile is a new customer's. */
async function checkSilver(
  refinery: Refinery,
  { customerId, customerKey, before }: { customerId: string; customerKey: string; before: ReadonlyMap<string, string> },
): Promise<void> {
  if (before.size === 0) return;
  const left = [...(await rowsByCustomerKey(refinery, customerKey))].filter(([place]) => before.has(place));
  if (left.length === 0) return;
  const named = left.slice(0, mostNamed).map(([place, orderId]) => `${orderId} (from ${place})`);
  throw new Error(
    `customer ${customerId} is forgotten where bronze names them, but ${left.length} orders of theirs are left in silver, ` +
      `and bronze holds no event of them: ${named.join(", ")}${left.length > mostNamed ? ", ..." : ""}; ` +
      "bring the missing bronze objects back and forget again; where none is missing, ./pizza rebuild puts silver right",
  );
}

/** The name under which a customer is forgotten, kept only until that is done: a repeat after a crash goes on with it. */
export interface Pseudonym {
  value: string;
  /** Whether an earlier run has begun. */
  isResumed: boolean;
}

/** Draws a pseudonym, or takes the one of a run that did not come to its end. `token` stands for the customer. */
async function reservePseudonym(store: ObjectStore, customerKey: string): Promise<Pseudonym> {
  const drawn = `forgotten-${randomUUID().replaceAll("-", "").slice(0, 16)}`;
  const isNew = await store.put(keyOf(customerKey), Buffer.from(JSON.stringify({ pseudonym: drawn })), {
    ifAbsent: true,
  });
  if (isNew) return { value: drawn, isResumed: false };
  const known = await store.get(keyOf(customerKey));
  if (known === undefined) return await reservePseudonym(store, customerKey);
  const { pseudonym } = JSON.parse(Buffer.from(known).toString()) as { pseudonym: string };
  return { value: pseudonym, isResumed: true };
}

/** From here on nothing leads from the customer to the pseudonym. */
async function releasePseudonym(eraser: Eraser, customerKey: string): Promise<void> {
  await eraser.erase(keyOf(customerKey));
}

function keyOf(customerKey: string): string {
  return `forgetting/${customerKey}.json`;
}

const columnNames = ["customer_key", "order_id", "shard", "sequence_number", "record_index"];

/** Silver's orders under a customer's token: their ids by the place of the event that they came from. */
async function rowsByCustomerKey(
  { store, silver }: { store: ObjectStore; silver: DeltaTable },
  customerKey: string,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const { files, version } = await silver.snapshot();
  for (const { path } of files.values()) {
    const body = await store.get(`${silver.root}/${path}`);
    if (body === undefined)
      throw new Error(`silver file ${path} is named by version ${version} but is not in the lake`);
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
