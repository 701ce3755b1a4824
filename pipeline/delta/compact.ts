import { copyOrdered, readColumns } from "../parquet/read-columns.ts";
import { createTableWriter } from "../parquet/table-writer.ts";
import type { ObjectStore } from "../ports.ts";
import type { AddFile } from "./actions.ts";
import type { DeltaTable, Snapshot } from "./table.ts";

const attempts = 5;

/** What a compaction did. */
export interface CompactSummary {
  /** The table's newest version afterwards; where the race was lost, the one that was read. */
  version: number;
  /** False where a source file was removed meanwhile, or others kept taking the version: nothing has changed then. */
  committed: boolean;
  filesRemoved: number;
  filesAdded: number;
  rows: number;
}

/**
 * Rewrites partitions of many small files as fewer larger ones, rows in the order of `sortBy`. Files of one size class
 * are joined once there are `minFiles` of them, so that a row is rewritten about log(rows) times however long the table
 * lives. The rows stay the same; a concurrent commit wins.
 */
export async function compactTable({
  table,
  store,
  minFiles = 8,
  targetRows = 500_000,
  maxRowsPerRun = 200_000,
  sortBy = ["order_id", "line_no"],
}: {
  table: DeltaTable;
  store: ObjectStore;
  minFiles?: number;
  targetRows?: number;
  maxRowsPerRun?: number;
  sortBy?: readonly string[];
}): Promise<CompactSummary> {
  const snapshot = await table.snapshot();
  const groups = planCompaction(snapshot.partitions, { minFiles, targetRows, maxRowsPerRun });
  const removes = groups.flat();
  const nothing = { version: snapshot.version, committed: false, filesRemoved: 0, filesAdded: 0, rows: 0 };
  if (groups.length === 0) return nothing;
  const adds = [];
  for (const group of groups) adds.push(await rewrite({ table, store, sortBy }, group));
  const version = await commitRewrite(table, { snapshot, removes, adds });
  if (version === undefined) {
    for (const { path } of adds) await store.delete(`${table.root}/${path}`);
    return nothing;
  }
  const rows = adds.reduce((sum, file) => sum + file.rows, 0);
  return { version, committed: true, filesRemoved: removes.length, filesAdded: adds.length, rows };
}

/** Commits on top of whatever came in between, as long as every source file is still part of the table. */
async function commitRewrite(
  table: DeltaTable,
  { snapshot, removes, adds }: { snapshot: Snapshot; removes: AddFile[]; adds: AddFile[] },
): Promise<number | undefined> {
  let newest = snapshot;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (!removes.every(({ path }) => newest.files.has(path))) return undefined;
    const result = await table.commit({
      readVersion: newest.version,
      operation: "OPTIMIZE",
      adds,
      removes,
      transactions: [],
      operationMetrics: { numRemovedFiles: removes.length, numAddedFiles: adds.length },
      dataChange: false,
    });
    if (result.committed) return result.version;
    newest = await table.snapshot();
  }
  return undefined;
}

async function rewrite(
  { table, store, sortBy }: { table: DeltaTable; store: ObjectStore; sortBy: readonly string[] },
  group: readonly AddFile[],
): Promise<AddFile> {
  const names = table.columns.map(({ name }) => name);
  const columns: Record<string, unknown[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (const { path } of group) {
    const body = await store.get(`${table.root}/${path}`);
    if (body === undefined)
      throw new Error(
        `Delta table ${table.root}: ${path} is part of the table but cannot be read; restore it from a backup`,
      );
    const read = await readColumns(body, names);
    for (const name of names) for (const value of read[name]!) columns[name]!.push(value);
  }
  const writer = createTableWriter(table.columns);
  copyOrdered(writer, columns, sortedRows(sortBy.map((name) => columns[name] ?? [])));
  return await table.writeDataFile({ partition: group[0]!.partition, ...writer.finish() });
}

function sortedRows(keys: readonly (readonly unknown[])[]): number[] {
  const rows = Array.from(keys[0]!, (_, row) => row);
  return rows.toSorted((left, right) => {
    for (const key of keys) {
      if (key[left] !== key[right]) return isBefore(key[left], key[right]) ? -1 : 1;
    }
    return left - right;
  });
}

function isBefore(left: unknown, right: unknown): boolean {
  return typeof left === "string" && typeof right === "string" ? left < right : Number(left) < Number(right);
}

/**
 * Chooses groups of files to be joined, each from one partition and one size class (a class reaches up to `minFiles`
 * times its smallest). Partitions with the most files come first; a run takes on at most `maxRowsPerRun` rows, but
 * always one group where there is any.
 */
export function planCompaction(
  partitions: ReadonlyMap<string, readonly AddFile[]>,
  { minFiles, targetRows, maxRowsPerRun }: { minFiles: number; targetRows: number; maxRowsPerRun: number },
): AddFile[][] {
  const groups: AddFile[][] = [];
  let budget = maxRowsPerRun;
  for (const files of [...partitions.values()].toSorted((left, right) => right.length - left.length)) {
    if (files.length < minFiles) break;
    const small = files.filter(({ rows }) => rows < targetRows);
    const classes = Map.groupBy(small, ({ rows }) => Math.floor(Math.log(Math.max(1, rows)) / Math.log(minFiles)));
    for (const members of classes.values()) {
      if (members.length < minFiles) continue;
      const group = takeRows(members, Math.min(targetRows, maxRowsPerRun));
      const rows = sumOfRows(group);
      if (group.length < 2 || (groups.length > 0 && rows > budget)) continue;
      groups.push(group);
      budget -= rows;
    }
  }
  return groups;
}

/** The smallest files first, up to about so many rows. */
function takeRows(files: readonly AddFile[], limit: number): AddFile[] {
  const taken: AddFile[] = [];
  let rows = 0;
  for (const file of files.toSorted((left, right) => left.rows - right.rows)) {
    if (taken.length >= 2 && rows + file.rows > limit) break;
    taken.push(file);
    rows += file.rows;
  }
  return taken;
}

function sumOfRows(files: readonly AddFile[]): number {
  return files.reduce((sum, { rows }) => sum + rows, 0);
}
