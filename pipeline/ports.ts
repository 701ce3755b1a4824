// The ports of the pipeline: what a use case needs from outside. Each target supplies its own adapters.

/** An object's key and size. */
export interface ObjectInfo {
  /** Path relative to the store's root, separated by `/`. */
  key: string;
  /** Bytes. */
  size: number;
}

/** A bucket, or a folder that behaves like one. Keys are relative UTF-8 paths, separated by `/`. */
export interface ObjectStore {
  /** Returns the whole object, or undefined if it does not exist. */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * Writes a whole object, durable once the promise resolves. With `ifAbsent`, an existing object is never overwritten:
   * returns true if this call created the object, false if the key exists. The content shows who created it.
   */
  put(key: string, body: Uint8Array, options?: { ifAbsent?: boolean }): Promise<boolean>;
  /** Lists the objects whose key begins with `prefix` and sorts after `startAfter`, in byte order of the keys. */
  list(prefix: string, options?: { startAfter?: string }): Promise<ObjectInfo[]>;
  /** Deletes an object; a missing one is not an error. */
  delete(key: string): Promise<void>;
}

/** Deletes objects permanently. */
export interface Eraser {
  /** Deletes an object with every earlier version that the store keeps of it; a missing one is not an error. */
  erase(key: string): Promise<void>;
}

/** The data files that a lake query reads: one version of one Delta table. */
export interface LakeTable {
  name: string;
  version: number;
  /** Keys of the Parquet files, relative to the lake's root. */
  files: string[];
  /** The table's columns, needed if it has no file yet, or none with every column. */
  columns: readonly { name: string; type: LakeType }[];
  partitionColumn?: string;
}

/** A column type that both Parquet and the lake's SQL engines support. */
export type LakeType = "string" | "int" | "long" | "boolean" | "timestamp" | "date";

/** SQL on the lake, by DuckDB or Athena. Queries use only the SQL that both support; parameters are `?`. */
export interface LakeQuery {
  /** Returns rows as objects: 64-bit integers as bigint, dates as `YYYY-MM-DD`, timestamps as ISO 8601 in UTC. */
  query(
    sql: string,
    parameters: readonly (string | number)[],
    tables: readonly LakeTable[],
    options?: {
      /** Interrupts the query, which then throws the signal's reason. */
      signal?: AbortSignal;
    },
  ): Promise<LakeRow[]>;
}

/** One row, by column name. */
export type LakeRow = Record<string, string | number | bigint | boolean | null>;

/** The PostgreSQL database with gold. One call is one statement, and therefore one transaction. */
export interface Warehouse {
  /** Runs SQL with parameters `$1`, `$2`, …; returns numerics and 64-bit integers as strings, without loss. */
  query<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

/** A warehouse that can run several statements in one transaction. */
export interface TransactionalWarehouse extends Warehouse {
  /** Runs `use` in a transaction; rolls back and rethrows if it throws. */
  transaction<Result>(kind: TransactionKind, use: (within: Warehouse) => Promise<Result>): Promise<Result>;
}

/** `snapshot` reads one consistent snapshot; `write` commits; `trial` writes and always rolls back. */
export type TransactionKind = "snapshot" | "write" | "trial";

/** A record on its way into the stream. */
export interface OutgoingRecord {
  partitionKey: string;
  /** Determines the shard: a decimal string below 2^128; by default, the MD5 of the partition key. */
  explicitHashKey?: string;
  data: Uint8Array;
}

/** The write side of the stream, with the semantics of Kinesis PutRecords: records may fail individually. */
export interface EventSink {
  /** Returns one result per record, in order. If it throws, the outcome of every record is unknown. */
  putRecords(records: readonly OutgoingRecord[]): Promise<PutResult[]>;
  /** Returns the number of open shards: the producer has one in-flight slot per shard. */
  openShards(): Promise<number>;
}

/** Where a record was stored, or why it was not. */
export type PutResult = { shard: string; sequenceNumber: string } | { errorCode: string; errorMessage: string };

/** A record as the stream delivers it. */
export interface StreamRecord {
  shard: string;
  /** Decimal, up to 56 digits: compare as BigInt, or as strings padded to 56. */
  sequenceNumber: string;
  partitionKey: string;
  /** Arrival time in the stream, milliseconds since 1970. */
  arrivedAt: number;
  data: Uint8Array;
}

/** Told how far a long operation is, such as 3 of 10 bronze objects; the last call says all of them. */
export type OnProgress = (done: number, total: number, unit: string) => void;

/** Sends alerts. */
export interface Notifier {
  /** `subject` is one line of at most 100 characters. */
  notify(message: { subject: string; text: string }): Promise<void>;
}

/** Snapshots that the database server takes, each under the id of its backup. */
export interface DatabaseSnapshots {
  /**
   * Starts a snapshot and then its export, if they are not started yet, and returns their state. Throws if one failed.
   */
  advance(id: string): Promise<{ name: string; state: string; isDone: boolean }>;
  /** Deletes the snapshots of backups before `oldestId`; returns their names. */
  expire(oldestId: string): Promise<string[]>;
}

/** Receives OpenLineage events about workflow runs. */
export interface LineageEndpoint {
  /** Sends an event; it may be delivered twice. */
  send(event: object): Promise<void>;
}

/** Starts state machine executions. */
export interface WorkflowStarter {
  /** Starts an execution, unless one with this name exists or the workflow is running. */
  start(execution: { workflow: string; name: string; input: object }): Promise<StartOutcome>;
  /** Returns the last started run of a workflow, scheduled or manual; undefined if there was none. */
  newest(workflow: string): Promise<WorkflowRunState | undefined>;
}

/** The state of a workflow run; times are milliseconds since 1970. */
export interface WorkflowRunState {
  startedAt: number;
  /** Absent while it runs. */
  endedAt?: number;
  /** True if the run failed, timed out or was aborted. */
  hasFailed: boolean;
}

/** What a start did: "already started" means that the name was used before, "running" that the workflow is running. */
export type StartOutcome = "started" | "already started" | "running";

/** Returns the current time in milliseconds since 1970, as `Date.now` does. */
export type Clock = () => number;
