import { isUtf8 } from "node:buffer";
import type { DeltaTable, Snapshot, AddFile } from "../delta/table.ts";
import { readColumns } from "../parquet/read-columns.ts";
import { createTableWriter } from "../parquet/table-writer.ts";
import type { ObjectStore } from "../ports.ts";
import type { Column } from "./columns.ts";
import { readNote } from "./commit-note.ts";
import type { RejectedEvent } from "./read-events.ts";

/** Transaction id under which the quarantine table keeps the version of silver up to which it is published. */
const publishedId = "silver/order_lines";

/**
 * Writes refused events as a data file that no version names yet. It becomes part of the quarantine only through the
 * commit of silver that consumes their bronze objects: both happen, or neither.
 */
export async function stageQuarantine(quarantine: DeltaTable, rejected: readonly RejectedEvent[], now: number) {
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
    writer.string("order_id").push(readOrderId(text));
    writer.string("payload").push(text);
    writer.string("payload_base64").push(isUtf8(payload) ? null : payload.toString("base64"));
    writer.string("bronze_key").push(bronzeKey);
    writer.long("quarantined_at").push(now * 1000);
  }
  const { path, size, rows, stats } = await quarantine.writeDataFile({ partition: undefined, ...writer.finish() });
  return { path, size, rows, stats };
}

/** The order's id in an event, damaged or not; null where none can be read. */
export function readOrderId(text: string): string | null {
  return /"order_id"\s*:\s*"([\x21-\x7e]{1,64}?)"/.exec(text)?.[1] ?? null;
}

/** After so many versions without a refusal the cursor is moved all the same: a run reads few of silver's commits. */
const cursorLag = 100;

/**
 * Brings the quarantine table up to silver: every file that a commit of silver names and the table does not. Each is
 * added once, however often this runs.
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

function publishedVersion({ transactions }: Snapshot): number {
  return transactions.get(publishedId)?.version ?? -1;
}

/** The staged files that silver's commits up to a version name and this version of the quarantine does not have yet. */
export async function unpublishedFiles(silver: DeltaTable, silverVersion: number, quarantine: Snapshot) {
  const after = publishedVersion(quarantine);
  if (after >= silverVersion) return [];
  const changes = await silver.changes(after, silverVersion);
  if (changes === undefined) {
    throw new Error(`quarantine is published up to silver version ${after}, which silver's log no longer reaches`);
  }
  return changes.commits.map((commit) => readNote(commit).quarantine).filter((file) => file !== undefined);
}

/** The columns of `quarantine/order_events`; grain: one row per refused event, or per refused record. */
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
  { name: "quarantined_at", type: "timestamp", comment: "When silver refused it, UTC" },
] as const satisfies readonly Column[];

const keyColumns = ["shard", "sequence_number", "record_index"];

/**
 * Which of these refused events the quarantine holds already, as of a version of silver: a record that comes again is
 * filed once. Only files with events of the same time of arrival are read, and new events arrive later than all filed ones.
 */
export async function findQuarantined(
  place: { store: ObjectStore; silver: DeltaTable; quarantine: DeltaTable; snapshot: Snapshot },
  rejected: readonly RejectedEvent[],
): Promise<Set<RejectedEvent>> {
  const found = new Set<RejectedEvent>();
  if (rejected.length === 0) return found;
  const { store, silver, quarantine, snapshot } = place;
  const quarantined = await quarantine.snapshot();
  const staged = await unpublishedFiles(silver, snapshot.version, quarantined);
  const byPlace = new Map(
    rejected.map((event) => {
      const { shard, sequenceNumber, recordIndex } = event.position;
      return [placeOf([shard, sequenceNumber, recordIndex]), event];
    }),
  );
  for (const file of [...quarantined.files.values(), ...staged]) {
    if (!rejected.some(({ arrivedAt }) => holds(file, arrivedAt))) continue;
    const body = await store.get(`${quarantine.root}/${file.path}`);
    if (body === undefined) throw new Error(`quarantine file ${file.path} is named by the log but is not in the lake`);
    const columns = await readColumns(body, keyColumns);
    for (const row of columns["shard"]!.keys()) {
      const event = byPlace.get(placeOf(keyColumns.map((name) => columns[name]![row])));
      if (event !== undefined) found.add(event);
    }
  }
  return found;
}

function placeOf(position: readonly unknown[]): string {
  return position.join("/");
}

/** Whether a file may hold an event that arrived then; one from a release that kept no bounds of it is taken not to. */
function holds({ stats }: Pick<AddFile, "stats">, arrivedAt: number): boolean {
  const [first, last] = [stats?.minValues["arrived_at"], stats?.maxValues["arrived_at"]];
  if (typeof first !== "string" || typeof last !== "string") return false;
  const milliseconds = arrivedAt / 1000;
  return Date.parse(first) <= milliseconds && milliseconds <= Date.parse(last);
}
