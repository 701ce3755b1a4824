import { partitionColumn, type Column } from "../../../pipeline/silver/columns.ts";
import { openDeltaTable, type AddFile, type CommitRequest, type DeltaTable } from "../../../pipeline/delta/table.ts";
import type { ObjectStore } from "../../../pipeline/ports.ts";
import { writeRows, type Row } from "./order-lines.ts";

/** Enough columns to distinguish rows. */
export const smallColumns = [
  { name: "order_id", type: "string", comment: "key" },
  { name: "line_no", type: "int", comment: "line" },
  { name: "note", type: "string", nullable: true, comment: "text" },
] as const satisfies readonly Column[];

/** 2026-01-01, in milliseconds. */
export const newYear = 1_767_225_600_000;
export const dayMs = 86_400_000;

/** Opens a table of a few columns, partitioned by date, in the folder `t`. */
export function openSmall(store: ObjectStore, options: Partial<Parameters<typeof openDeltaTable>[0]> = {}): DeltaTable {
  return openDeltaTable({
    store,
    root: "t",
    columns: smallColumns,
    partitionColumn,
    clock: () => newYear,
    name: "small",
    description: "A small table",
    ...options,
  });
}

/** Creates one line for each order id. */
export function smallRows(...ids: string[]): Row[] {
  return ids.map((order_id) => ({ order_id, line_no: 1, note: null }));
}

/** Writes rows as a data file of a day. */
export async function writeSmall(table: DeltaTable, partition: string, rows: readonly Row[]): Promise<AddFile> {
  return await table.writeDataFile({ partition, ...writeRows(rows, smallColumns) });
}

/** Commits on top of the newest version; throws if another writer wins. */
export async function commitSmall(table: DeltaTable, request: Partial<CommitRequest>): Promise<number> {
  const { version } = await table.snapshot();
  const none = { operation: "WRITE", adds: [], removes: [], transactions: [], operationMetrics: {} };
  const result = await table.commit({ ...none, readVersion: version, ...request });
  if (!result.committed) throw new Error(`version ${version + 1} was taken`);
  return result.version;
}

/** Appends one file of rows in a separate commit. */
export async function appendSmall(table: DeltaTable, partition: string, ...ids: string[]): Promise<AddFile> {
  const file = await writeSmall(table, partition, smallRows(...ids));
  await commitSmall(table, { adds: [file] });
  return file;
}
