import type { FileStats } from "../parquet/file-stats.ts";

/** A data file of a table. */
export interface AddFile {
  /** Relative to the table's root. */
  path: string;
  /** The partition's value; absent in a table without partitions. */
  partition?: string | undefined;
  /** Bytes. */
  size: number;
  rows: number;
  stats?: FileStats | undefined;
  /** Milliseconds since 1970. */
  modificationTime: number;
}

/** A file that is no longer part of the table, kept for readers of older versions. */
export interface RemovedFile {
  path: string;
  partition?: string | undefined;
  size: number;
  /** Milliseconds since 1970. */
  deletionTimestamp: number;
}

/** What a table remembers for an application, published in one commit with its data. */
export interface Transaction {
  version: number;
  /** Milliseconds since 1970, after which it expires some day; 0 where it never does. */
  lastUpdated: number;
}

export interface Metadata {
  id: string;
  name?: string;
  description?: string;
  format: { provider: string; options: Record<string, string> };
  /** The columns as JSON, in Delta's form. */
  schemaString: string;
  partitionColumns: string[];
  configuration: Record<string, string>;
  createdTime?: number;
}

export interface Protocol {
  minReaderVersion: number;
  minWriterVersion: number;
}

/** What a commit says about itself. */
export interface CommitInfo {
  version: number;
  /** Milliseconds since 1970. */
  timestamp: number;
  operation: string;
  operationMetrics: Record<string, string>;
  /** False where the rows are the same as before, as after compaction. */
  dataChange: boolean;
  userMetadata?: string;
  /** The writer's own name for this attempt. */
  txnId?: string;
}

/** A line of the log, as the Delta protocol spells it. */
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

/** The partition's name and value as the log spells them. */
function partitionValues(partition: string | undefined, column: string | undefined): Record<string, string> {
  return column === undefined || partition === undefined ? {} : { [column]: partition };
}

/** The action that makes a file part of the table. */
export function addAction(file: AddFile, column: string | undefined, dataChange: boolean): Action {
  const { path, partition, size, modificationTime } = file;
  const stats = JSON.stringify(file.stats ?? { numRecords: file.rows });
  return {
    add: { path, partitionValues: partitionValues(partition, column), size, modificationTime, dataChange, stats },
  };
}

/** The action that takes a file out of the table. */
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

/** The action that notes a transaction. */
export function transactionAction(appId: string, { version, lastUpdated }: Transaction): Action {
  return { txn: { appId, version, ...(lastUpdated > 0 && { lastUpdated }) } };
}

/** The file of an `add`. */
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

/** The file of a `remove`. */
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
