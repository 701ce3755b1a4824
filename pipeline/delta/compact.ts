import { copyOrdered, readColumns } from "../parquet/read-columns.ts";
import { createTableWriter } from "../parquet/table-writer.ts";
import type { ObjectStore } from "../ports.ts";
import type { AddFile } from "./actions.ts";
import type { DeltaTable, Snapshot } from "./table.ts";

const attempts = 5;

/** What a compaction did. */
export interface CompactSummary {
  /** The version that was committed, or the version that was read if nothing was committed. */
  version: number;
  /** False if there was nothing to do, a source file was removed meanwhile, or other writers won every attempt. */
  committed: boolean;
  filesRemoved: number;
  filesAdded: number;
  rows: number;
}

/**
 * Rewrites many small files of a partition as fewer larger ones, sorted by `sortBy`. Files of one size class are merged
 * once there are `minFiles` of them, so that each row is rewritten only about log(rows) times over the table's
 * lifetime. The table's rows stay the same. On a conflict, the concurrent commit wins. Rewrites no further group once
 * `shouldStop` returns true. Throws if a data file is missing.
 */
export async function compactTable({
  table,
  store,
  minFiles = 8,
  targetRows = 500_000,
  maxRowsPerRun = 200_000,
  sortBy = ["order_id", "store_id", "line_no"],
  shouldStop = () => false,
}: {
  table: DeltaTable;
  store: ObjectStore;
  minFiles?: number;
  targetRows?: number;
  maxRowsPerRun?: number;
  sortBy?: readonly string[];
  shouldStop?: () => boolean;
}): Promise<CompactSummary> {
  const snapshot = await table.snapshot();
  const groups = planCompaction(snapshot.partitions, { minFiles, targetRows, maxRowsPerRun });
  const nothing = { version: snapshot.version, committed: false, filesRemoved: 0, filesAdded: 0, rows: 0 };
  if (groups.length === 0) return nothing;
  const [adds, removes]: [AddFile[], AddFile[]] = [[], []];
  for (const group of groups) {
    adds.push(await rewrite({ table, store, sortBy }, group));
    removes.push(...group);
    if (shouldStop()) break;
  }
  const version = await commitRewrite(table, { snapshot, removes, adds });
  if (version === undefined) {
    for (const { path } of adds) await store.delete(`${table.root}/${path}`);
    return nothing;
  }
  const rows = adds.reduce((sum, file) => sum + file.rows, 0);
  return { version, committed: true, filesRemoved: removes.length, filesAdded: adds.length, rows };
}

/** Commits the rewrite, and rebases it on concurrent commits as long as every source file is still in the table. */
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
        `Delta table ${table.root}: data file ${path} is in the table but does not exist; restore it from a backup`,
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
 * Chooses groups of files to merge, each from one partition and one size class (its largest file has less than
 * `minFiles` times the rows of its smallest). Partitions with the most files come first. A run rewrites at most
 * `maxRowsPerRun` rows, but at least one group if there is any.
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

/** Takes the smallest files, up to about `limit` rows but at least two files. */
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
