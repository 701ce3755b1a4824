import { isUtf8 } from "node:buffer";
import type { DeltaTable, Snapshot } from "../lake/delta-table.ts";
import { createTableWriter } from "../lake/table-writer.ts";
import { readNote } from "./commit-note.ts";
import { quarantineColumns } from "./quarantine-columns.ts";
import type { RefusedEvent } from "./read-events.ts";

/** Transaction id under which the quarantine table keeps the version of silver up to which it is published. */
const publishedId = "silver/order_lines";

/**
 * Writes refused events as a data file that no version names yet. It becomes part of the quarantine only through the
 * commit of silver that consumes their bronze objects: both happen, or neither.
 */
export async function stageQuarantine(quarantine: DeltaTable, refused: readonly RefusedEvent[], now: number) {
  const writer = createTableWriter(quarantineColumns);
  for (const { position, arrivedAt, reason, detail, bytes, bronzeKey } of refused) {
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
