import { isUtf8 } from "node:buffer";
import type { Catalog } from "../domain/catalog.ts";
import type { OrderName } from "../domain/order-map.ts";
import { salvageProducer } from "../domain/sequence-gaps.ts";
import type { DeltaTable, Snapshot, AddFile } from "../delta/table.ts";
import { readColumns } from "../parquet/read-columns.ts";
import { createTableWriter } from "../parquet/table-writer.ts";
import type { ObjectStore } from "../ports.ts";
import type { Column } from "./columns.ts";
import { readNote } from "./commit-note.ts";
import { businessDate } from "./orders-in-event.ts";
import type { RejectedEvent } from "./read-events.ts";
import { eventPosition, rowPosition } from "../domain/stream-position.ts";

/** Versions without a rejection after which the cursor moves anyway, so that a run reads few of silver's commits. */
const cursorLag = 100;

/** The `txn` app id under which the quarantine table stores the silver version up to which it is published. */
const publishedId = "silver/order_lines";

/**
 * Writes rejected events as a data file that no table version contains yet. It becomes part of the quarantine only
 * through the silver commit that consumes the events' bronze objects, so both happen or neither does.
 */
export async function stageQuarantine(
  { quarantine, catalog }: { quarantine: DeltaTable; catalog: Catalog },
  rejected: readonly RejectedEvent[],
  now: number,
) {
  const writer = createTableWriter(quarantineColumns);
  for (const { position, arrivedAt, reason, detail, bytes, bronzeKey } of rejected) {
    const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const text = payload.toString("utf8");
    writer.string("shard").push(position.shard);
    writer.string("sequence_number").push(position.sequenceNumber);
    writer.int("record_index").push(position.recordIndex);
    writer.long("arrived_at").push(arrivedAt);
    writer.string("reason").push(reason);
    writer.string("detail").push(detail);
    const order = readOrderName(text, catalog);
    writer.string("order_id").push(order.orderId);
    writer.string("payload").push(text);
    writer.string("payload_base64").push(isUtf8(payload) ? null : payload.toString("base64"));
    writer.string("bronze_key").push(bronzeKey);
    writer.long("quarantined_at").push(now * 1000);
    writer.string("store_id").push(order.storeId);
    writer.string("order_date").push(order.orderDate);
    writer.int("revision").push(order.revision);
    writer.string("producer_id").push(order.producerId);
  }
  const { path, size, rows, stats } = await quarantine.writeDataFile({ partition: undefined, ...writer.finish() });
  return { path, size, rows, stats };
}

/** What names a rejected event's order, its revision and its till; each is null if it cannot be read. */
export type RejectedName = { [Field in keyof OrderName]: string | null } & {
  revision: number | null;
  producerId: string | null;
};

/** Reads what names an event's order, revision and till from its text, which may be damaged. */
export function readOrderName(text: string, { stores }: Pick<Catalog, "stores">): RejectedName {
  const [orderId, storeId] = [found(orderIdPattern), found(storeIdPattern)];
  const revision = found(revisionPattern);
  return {
    orderId,
    storeId,
    orderDate: businessDate(stores, { storeId, orderedAt: found(orderedAtPattern) }),
    revision: revision === null ? null : Number(revision),
    producerId: salvageProducer(text)?.producerId ?? null,
  };

  function found(pattern: RegExp): string | null {
    return pattern.exec(text)?.[1] ?? null;
  }
}

const orderIdPattern = /"order_id"\s*:\s*"([\x21-\x7e]{1,64}?)"/;
const storeIdPattern = /"store_id"\s*:\s*"([^"\\]{1,64})"/;
const orderedAtPattern = /"ordered_at"\s*:\s*"([^"\\]{1,64})"/;
/** The character after the digits proves that the number is not truncated. */
const revisionPattern = /"revision"\s*:\s*(\d{1,7})\s*[,}]/;

/**
 * Publishes to the quarantine table every staged file that a silver commit names. Each file is added exactly once,
 * however often and however concurrently this runs. Returns the table's version and how much was added.
 */
export async function publishQuarantine({ silver, quarantine }: { silver: DeltaTable; quarantine: DeltaTable }) {
  for (;;) {
    const [source, target] = await Promise.all([silver.snapshot(), quarantine.snapshot()]);
    const staged = await unpublishedFiles(silver, source.version, target);
    const nothing = { version: target.version, files: 0, rows: 0 };
    if (staged.length === 0 && source.version - publishedVersion(target) < cursorLag) return nothing;
    const result = await quarantine.commit({
      readVersion: target.version,
      operation: "WRITE",
      adds: staged,
      removes: [],
      transactions: [{ appId: publishedId, version: source.version }],
      operationMetrics: {},
    });
    const rows = staged.reduce((sum, file) => sum + file.rows, 0);
    if (result.committed) return { version: result.version, files: staged.length, rows };
  }
}

/** Returns the silver version up to which the quarantine is published; -1 before the first. */
export function publishedVersion({ transactions }: Snapshot): number {
  return transactions.get(publishedId)?.version ?? -1;
}

/**
 * Returns the staged files that silver commits up to `silverVersion` name and that this quarantine snapshot does not
 * contain yet. Throws if silver's log no longer goes back to the last published version.
 */
export async function unpublishedFiles(silver: DeltaTable, silverVersion: number, quarantine: Snapshot) {
  const after = publishedVersion(quarantine);
  if (after >= silverVersion) return [];
  const changes = await silver.changes(after, silverVersion);
  if (changes === undefined) {
    throw new Error(
      `quarantine is published up to silver version ${after}, which is older than silver's log retention`,
    );
  }
  return changes.commits.map((commit) => readNote(commit).quarantine).filter((file) => file !== undefined);
}

/** The columns of `quarantine/order_events`; grain: one row per rejected event, or per rejected record. */
export const quarantineColumns = [
  { name: "shard", type: "string", comment: "Stream position: shard" },
  { name: "sequence_number", type: "string", comment: "Stream position: sequence number of the record, decimal" },
  { name: "record_index", type: "int", comment: "Stream position: index of the event within its record" },
  { name: "arrived_at", type: "timestamp", comment: "When the stream took it, UTC" },
  { name: "reason", type: "string", comment: "Reason code, from a closed list" },
  { name: "detail", type: "string", comment: "What was refused and why, in a sentence" },
  { name: "order_id", type: "string", nullable: true, comment: "The order's id, where the event could be read" },
  { name: "payload", type: "string", comment: "The event as text; bytes that are no UTF-8 are replaced" },
  {
    name: "payload_base64",
    type: "string",
    nullable: true,
    comment: "The exact bytes, where payload could not show them",
  },
  { name: "bronze_key", type: "string", comment: "The bronze object that it was read from" },
  { name: "quarantined_at", type: "timestamp", comment: "When silver rejected it, UTC" },
  { name: "store_id", type: "string", nullable: true, comment: "The order's store, where it could be read" },
  {
    name: "order_date",
    type: "string",
    nullable: true,
    comment: "The order's business date, YYYY-MM-DD, where store and time could be read",
  },
  { name: "revision", type: "int", nullable: true, comment: "The order's revision, where it could be read" },
  { name: "producer_id", type: "string", nullable: true, comment: "The till, where it could be read" },
] as const satisfies readonly Column[];

/** The columns that name a rejected event's order. */
export const quarantinedOrderColumns = ["order_date", "store_id", "order_id"] as const;

/** Returns the order of a row of the quarantine; undefined if the event does not name it fully. */
export function quarantinedOrder(
  columns: Readonly<Record<string, readonly unknown[]>>,
  row: number,
): OrderName | undefined {
  const [orderDate, storeId, orderId] = quarantinedOrderColumns.map((name) => columns[name]![row]);
  if (typeof orderDate !== "string" || typeof storeId !== "string" || typeof orderId !== "string") return undefined;
  return { orderDate, storeId, orderId };
}

const keyColumns = ["shard", "sequence_number", "record_index"];

/**
 * Returns which of these rejected events the quarantine already holds as of a silver version, so that a redelivered
 * record is quarantined once. It reads only files whose arrival times include one of theirs; new events arrive later
 * than all quarantined ones, so they usually cost no read.
 */
export async function findQuarantined(
  context: { store: ObjectStore; silver: DeltaTable; quarantine: DeltaTable; snapshot: Snapshot },
  rejected: readonly RejectedEvent[],
): Promise<Set<RejectedEvent>> {
  const found = new Set<RejectedEvent>();
  if (rejected.length === 0) return found;
  const { store, silver, quarantine, snapshot } = context;
  const quarantined = await quarantine.snapshot();
  const staged = await unpublishedFiles(silver, snapshot.version, quarantined);
  // All events of a record have one arrival, and a record may have very many.
  const arrivals = [...new Set(rejected.map(({ arrivedAt }) => arrivedAt))];
  const files = [...quarantined.files.values(), ...staged].filter((file) => holdsAny(file, arrivals));
  if (files.length === 0) return found;
  const byPosition = new Map(rejected.map((event) => [eventPosition(event.position), event]));
  for (const file of files) {
    const body = await store.get(`${quarantine.root}/${file.path}`);
    if (body === undefined) throw new Error(`quarantine file ${file.path} is in the log but not in the lake`);
    const columns = await readColumns(body, keyColumns);
    for (const row of columns["shard"]!.keys()) {
      const cells = Object.fromEntries(keyColumns.map((name) => [name, columns[name]![row]]));
      const event = byPosition.get(eventPosition(rowPosition(cells)));
      if (event !== undefined) found.add(event);
    }
  }
  return found;
}

/** Whether a file may hold an event that arrived then. Files of early releases have no bounds and are skipped. */
function holdsAny({ stats }: Pick<AddFile, "stats">, arrivals: readonly number[]): boolean {
  const [first, last] = [stats?.minValues["arrived_at"], stats?.maxValues["arrived_at"]];
  if (typeof first !== "string" || typeof last !== "string") return false;
  const [from, to] = [Date.parse(first) * 1000, Date.parse(last) * 1000];
  return arrivals.some((arrivedAt) => from <= arrivedAt && arrivedAt <= to);
}
