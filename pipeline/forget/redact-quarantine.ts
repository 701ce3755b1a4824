import type { Catalog } from "../domain/catalog.ts";
import type { ReasonCode } from "../domain/rejection-reasons.ts";
import { eventPosition, recordPosition } from "../domain/stream-position.ts";
import { isUtf8 } from "node:buffer";
import type { AddFile, DeltaTable } from "../delta/table.ts";
import { copyRows, readColumns } from "../parquet/read-columns.ts";
import { createTableWriter } from "../parquet/table-writer.ts";
import type { ObjectStore } from "../ports.ts";
import { readOrderName, quarantineColumns } from "../silver/quarantine-table.ts";
import { createEventReader, isOpaque } from "../silver/unpack-record.ts";
import type { BronzeRedaction } from "./redact-bronze.ts";

/** Reasons of whole records that could not be unpacked. */
const unpackable: ReadonlySet<string> = new Set(["batch_corrupt", "batch_too_large"] satisfies ReasonCode[]);

interface QuarantineContext {
  store: ObjectStore;
  quarantine: DeltaTable;
  catalog: Catalog;
}

type QuarantineRows = Record<string, unknown[]>;

/**
 * Rewrites the quarantine's rows with redacted payloads and new bronze keys. Returns how many payloads were redacted,
 * and how many records could not be searched.
 */
export async function redactQuarantine(
  { store, quarantine, catalog }: QuarantineContext,
  redaction: BronzeRedaction,
): Promise<{ payloads: number; unreadable: number }> {
  for (;;) {
    const snapshot = await quarantine.snapshot();
    const changes: FileChange[] = [];
    for (const file of snapshot.files.values()) {
      changes.push(await redactFile({ store, quarantine, catalog }, file, redaction));
    }
    const sum = (key: "payloads" | "unreadable") => changes.reduce((total, counts) => total + counts[key], 0);
    const summary = { payloads: sum("payloads"), unreadable: sum("unreadable") };
    const changed = changes.flatMap(({ rewritten }) => rewritten ?? []);
    if (changed.length === 0) return summary;
    const result = await quarantine.commit({
      readVersion: snapshot.version,
      operation: "UPDATE",
      adds: changed.map(({ add }) => add),
      removes: changed.map(({ remove }) => remove),
      transactions: [],
      operationMetrics: {},
    });
    if (result.committed) return summary;
  }
}

interface FileChange {
  payloads: number;
  unreadable: number;
  rewritten?: { add: AddFile; remove: AddFile };
}

async function redactFile(
  { store, quarantine, catalog }: QuarantineContext,
  file: AddFile,
  redaction: BronzeRedaction,
): Promise<FileChange> {
  const body = await store.get(`${quarantine.root}/${file.path}`);
  if (body === undefined) throw new Error(`quarantine file ${file.path} is in the log but not in the lake`);
  const columns: QuarantineRows = await readColumns(
    body,
    quarantineColumns.map(({ name }) => name),
  );
  const { changed, ...counts } = redactRows(columns, redaction, catalog);
  if (changed === 0) return counts;
  const writer = createTableWriter(quarantineColumns);
  copyRows(writer, columns, () => true);
  const add = await quarantine.writeDataFile({ partition: undefined, ...writer.finish() });
  return { ...counts, rewritten: { add, remove: file } };
}

function payloadOf(columns: QuarantineRows, row: number): Buffer {
  const base64 = columns["payload_base64"]![row] as string | null;
  return base64 === null ? Buffer.from(String(columns["payload"]![row])) : Buffer.from(base64, "base64");
}

function redactRows(
  columns: QuarantineRows,
  { keys, positions, records, rejected }: BronzeRedaction,
  catalog: Catalog,
) {
  const counts = { changed: 0, payloads: 0, unreadable: 0 };
  const eventBytes = createEventReader();
  const byPosition = new Map(records.map((record) => [recordPosition(record), record]));
  const rejections = new Map(rejected.map((event) => [eventPosition(event.position), event]));
  for (const row of columns["shard"]!.keys()) {
    const text = (name: string) => String(columns[name]![row]);
    const newKey = keys.get(text("bronze_key"));
    const ofRecord = recordPosition({ shard: text("shard"), sequenceNumber: text("sequence_number") });
    const position = `${ofRecord}/${text("record_index")}`;
    const record = positions.has(position) ? byPosition.get(ofRecord) : undefined;
    if (unpackable.has(text("reason")) || isOpaque(payloadOf(columns, row))) counts.unreadable++;
    if (newKey !== undefined) columns["bronze_key"]![row] = newKey;
    if (newKey !== undefined || record !== undefined) counts.changed++;
    if (record === undefined) continue;
    counts.payloads++;
    const bytes = eventBytes(record.data, Number(text("record_index")));
    columns["payload"]![row] = bytes.toString("utf8");
    columns["payload_base64"]![row] = isUtf8(bytes) ? null : bytes.toString("base64");
    const order = readOrderName(bytes.toString("utf8"), catalog);
    columns["order_id"]![row] = order.orderId;
    columns["store_id"]![row] = order.storeId;
    columns["order_date"]![row] = order.orderDate;
    columns["revision"]![row] = order.revision;
    columns["producer_id"]![row] = order.producerId;
    const rejection = rejections.get(position);
    // A conflict is a valid event: its reason does not follow from its bytes.
    if (rejection === undefined) continue;
    columns["reason"]![row] = rejection.reason;
    columns["detail"]![row] = rejection.detail;
  }
  return counts;
}
