import { randomUUID } from "node:crypto";
import type { Column } from "../silver/columns.ts";
import type { Clock, ObjectStore } from "../ports.ts";
import { vacuumTable, type VacuumOptions, type VacuumSummary } from "./vacuum.ts";
import { dataFilePath, newFileId } from "./data-file-name.ts";
import type { AddFile } from "./actions.ts";
import { commitKey, describeCommit, encodeActions, readCommit } from "./log.ts";
import { defaultProperties } from "./metadata.ts";
import type { Snapshot } from "./snapshot.ts";
import type { WrittenTable } from "../parquet/file.ts";
import { planCommit, type CommitRequest, type TableShape } from "./plan-commit.ts";
import { type TableCache, TableReader, type Changes } from "./table-reader.ts";
import { isCheckpointDue, writeCheckpoint } from "./checkpoint.ts";

export type { AddFile, CommitInfo, Transaction } from "./actions.ts";
export { lakeTable, type Snapshot } from "./snapshot.ts";
export type { CommitRequest } from "./plan-commit.ts";
export type { Changes } from "./table-reader.ts";
export { VersionNotKept } from "./load-snapshot.ts";

/** A Delta table in an object store. Any number of processes may open it concurrently; commits are put-if-absent. */
export interface DeltaTable {
  readonly root: string;
  readonly columns: readonly Column[];
  readonly partitionColumn: string | undefined;
  /** Returns the newest version, or the given one; throws if that does not exist or is not kept (`VersionNotKept`). */
  snapshot(version?: number): Promise<Snapshot>;
  /**
   * Commits one version; `committed: false` means that another writer committed it first: reload the snapshot, retry.
   */
  commit(request: CommitRequest): Promise<CommitResult>;
  /** Writes a data file; it becomes part of the table once it is committed. */
  writeDataFile(file: WrittenTable & { partition: string | undefined; id?: string }): Promise<AddFile>;
  /**
   * Returns the commits after `fromVersion` up to `toVersion`, and the partitions whose rows they changed; undefined if
   * the log no longer goes back that far.
   */
  changes(fromVersion: number, toVersion: number): Promise<Changes | undefined>;
  /** Deletes log and data files beyond the retention; time travel within it keeps working. */
  vacuum(options: VacuumOptions): Promise<VacuumSummary>;
}

/** The committed version, or `committed: false` if another writer committed it first. */
export type CommitResult = { committed: true; version: number } | { committed: false };

/**
 * Opens a table; the first commit creates it. `partitionColumn` is a date and not among `columns`. Reading a table with
 * different columns, or with a later protocol than reader 1 and writer 2, throws. If a checkpoint cannot be written,
 * the commit still stands and `onCheckpointError` is called.
 */
export function openDeltaTable({
  store,
  root,
  columns,
  partitionColumn,
  clock,
  name,
  description,
  checkpointEvery = 20,
  properties = {},
  onCheckpointError = () => {},
}: {
  store: ObjectStore;
  root: string;
  columns: readonly Column[];
  partitionColumn?: string;
  clock: Clock;
  name: string;
  description: string;
  checkpointEvery?: number;
  properties?: Readonly<Record<string, string>>;
  onCheckpointError?: (error: unknown) => void;
}): DeltaTable {
  const shape: TableShape = {
    root,
    name,
    description,
    columns,
    partitionColumn,
    properties: { ...defaultProperties(columns, checkpointEvery), ...properties },
  };
  const location = { store, root };
  const reader = new TableReader({ store, shape, clock });

  async function commit(request: CommitRequest): Promise<CommitResult> {
    const { cache } = reader;
    if (cache.current.version < request.readVersion) await reader.newest();
    if (cache.current.version !== request.readVersion) return { committed: false };
    const version = request.readVersion + 1;
    const id = randomUUID();
    const actions = planCommit(cache.current, request, { shape, now: clock(), id, newId: randomUUID });
    const isOurs =
      (await store.put(commitKey(root, version), encodeActions(actions), { ifAbsent: true })) ||
      (await isWrittenBy(location, version, id));
    if (!isOurs) return { committed: false };
    cache.advance(version, actions);
    await checkpointWhenDue(location, { cache, every: checkpointEvery, now: clock() }).catch(onCheckpointError);
    return { committed: true, version };
  }

  return {
    root,
    columns,
    partitionColumn,
    snapshot: (version) => (version === undefined ? reader.newest() : reader.at(version)),
    commit,
    async writeDataFile({ partition, body, stats, rows, id = newFileId(clock()) }) {
      const path = dataFilePath({ id, partition, partitionColumn });
      await store.put(`${root}/${path}`, body, { ifAbsent: true });
      return { path, partition, size: body.length, rows, stats, modificationTime: clock() };
    },
    changes: (fromVersion, toVersion) => reader.changes(fromVersion, toVersion),
    vacuum: (options) => vacuumTable({ ...location, now: clock() }, options),
  };
}

async function checkpointWhenDue(
  location: { store: ObjectStore; root: string },
  { cache, every, now }: { cache: TableCache; every: number; now: number },
): Promise<void> {
  if (!isCheckpointDue(cache.current, cache.sinceCheckpoint, every)) return;
  const since = { ...cache.sinceCheckpoint };
  cache.checkpointed(await writeCheckpoint(location, cache.current, now), since);
}

/**
 * Whether this attempt wrote the commit: a put may succeed but lose its response, and a retry then finds the key taken.
 */
async function isWrittenBy({ store, root }: { store: ObjectStore; root: string }, version: number, id: string) {
  const actions = await readCommit(store, root, version);
  return actions !== undefined && describeCommit(version, actions).info.txnId === id;
}
