import type { FileStats } from "../parquet/file-stats.ts";

/** A data file of a table. */
export interface AddFile {
  /** Relative to the table's root. */
  path: string;
  /** The partition value; undefined in a table without partitions. */
  partition?: string | undefined;
  /** Bytes. */
  size: number;
  rows: number;
  stats?: FileStats | undefined;
  /** Milliseconds since 1970. */
  modificationTime: number;
}

/** A file that is no longer part of the table (a tombstone in the Delta protocol). */
export interface RemovedFile {
  path: string;
  partition?: string | undefined;
  size: number;
  /** Milliseconds since 1970. */
  deletionTimestamp: number;
}

/** An application's state (`txn` in the Delta protocol), committed atomically with data. */
export interface Transaction {
  version: number;
  /** Milliseconds since 1970; its retention starts here. 0 if it never expires. */
  lastUpdated: number;
}

/** The `metaData` action of the Delta protocol. */
export interface Metadata {
  id: string;
  name?: string;
  description?: string;
  format: { provider: string; options: Record<string, string> };
  /** The columns, in Delta's JSON schema format. */
  schemaString: string;
  partitionColumns: string[];
  configuration: Record<string, string>;
  createdTime?: number;
}

/** The `protocol` action of the Delta protocol. */
export interface Protocol {
  minReaderVersion: number;
  minWriterVersion: number;
}

/** A commit's version and its `commitInfo` action. */
export interface CommitInfo {
  version: number;
  /** Milliseconds since 1970. */
  timestamp: number;
  operation: string;
  operationMetrics: Record<string, string>;
  /** False if the table's rows stay the same, as in a compaction. */
  dataChange: boolean;
  userMetadata?: string;
  /** The writer's unique id of this commit attempt. */
  txnId?: string;
}

/** One line of a commit file, as the Delta protocol defines it. */
export type Action = {
  commitInfo?: {
    timestamp: number;
    operation: string;
    operationMetrics?: Record<string, string>;
    userMetadata?: string;
    txnId?: string;
    [more: string]: unknown;
  };
  protocol?: Protocol;
  metaData?: Metadata;
  txn?: { appId: string; version: number; lastUpdated?: number };
  add?: {
    path: string;
    partitionValues: Record<string, string>;
    size: number;
    modificationTime: number;
    dataChange: boolean;
    stats?: string;
  };
  remove?: {
    path: string;
    deletionTimestamp?: number;
    dataChange: boolean;
    extendedFileMetadata?: boolean;
    partitionValues?: Record<string, string>;
    size?: number;
  };
};

/** Returns the `partitionValues` of an action. */
function partitionValues(partition: string | undefined, column: string | undefined): Record<string, string> {
  return column === undefined || partition === undefined ? {} : { [column]: partition };
}

/** Creates the `add` action for a file. */
export function addAction(file: AddFile, column: string | undefined, dataChange: boolean): Action {
  const { path, partition, size, modificationTime } = file;
  const stats = JSON.stringify(file.stats ?? { numRecords: file.rows });
  return {
    add: { path, partitionValues: partitionValues(partition, column), size, modificationTime, dataChange, stats },
  };
}

/** Creates the `remove` action for a file. */
export function removeAction(file: RemovedFile, column: string | undefined, dataChange: boolean): Action {
  const { path, partition, size, deletionTimestamp } = file;
  return {
    remove: {
      path,
      deletionTimestamp,
      dataChange,
      extendedFileMetadata: true,
      partitionValues: partitionValues(partition, column),
      size,
    },
  };
}

/** Creates the `txn` action for a transaction. */
export function transactionAction(appId: string, { version, lastUpdated }: Transaction): Action {
  return { txn: { appId, version, ...(lastUpdated > 0 && { lastUpdated }) } };
}

/** Returns the file of an `add` action. */
export function addedFile({
  path,
  partitionValues: values,
  size,
  modificationTime,
  stats,
}: NonNullable<Action["add"]>): AddFile {
  const parsed: Partial<FileStats> = JSON.parse(stats ?? "{}");
  const { numRecords = 0, minValues, maxValues, nullCount = {} } = parsed;
  const file = { path, partition: Object.values(values)[0], size, rows: numRecords, modificationTime };
  if (minValues === undefined || maxValues === undefined) return file;
  return { ...file, stats: { numRecords, minValues, maxValues, nullCount } };
}

/** Returns the file of a `remove` action. */
export function removedFile({
  path,
  partitionValues: values,
  size,
  deletionTimestamp,
}: NonNullable<Action["remove"]>): RemovedFile {
  return {
    path,
    partition: Object.values(values ?? {})[0],
    size: size ?? 0,
    deletionTimestamp: deletionTimestamp ?? 0,
  };
}
