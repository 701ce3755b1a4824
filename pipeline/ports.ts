/** The few things a use case asks of the outside. Each home brings its own adapters. */

export interface ObjectInfo {
  /** Path below the store's root, with `/` between its parts. */
  key: string;
  /** Bytes. */
  size: number;
}

/** A bucket, or a folder that behaves like one. Keys are relative, UTF-8, with `/` as separator. */
export interface ObjectStore {
  /** The whole object, or undefined where there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * Writes a whole object, durable once the promise resolves. With `ifAbsent` an existing object is never touched:
   * true says that this call created it, false that the key was taken (by whom and with what, the caller finds out).
   */
  put(key: string, body: Uint8Array, options?: { ifAbsent?: boolean }): Promise<boolean>;
  /** Every object whose key begins with `prefix` and sorts after `startAfter`, in byte order of the keys. */
  list(prefix: string, options?: { startAfter?: string }): Promise<ObjectInfo[]>;
  /** Removes an object; one that is not there is no error. */
  delete(key: string): Promise<void>;
}

/** Removes an object for good, with every earlier version that the store keeps of it; one that is not there is no error. */
export interface Eraser {
  erase(key: string): Promise<void>;
}

/** The data files that a lake query reads: one version of one Delta table. */
export interface LakeTable {
  name: string;
  version: number;
  /** Keys of the Parquet files, relative to the lake's root. */
  files: string[];
  /** The table's columns, for the case where it has no file yet, or none that has them all; else they may be left out. */
  columns: readonly { name: string; type: LakeType }[];
  partitionColumn?: string;
}

export type LakeType = "string" | "int" | "long" | "boolean" | "timestamp" | "date";

/** SQL on the lake: DuckDB in a function, or Athena. SQL stays in the subset that both speak; parameters are `?`. */
export interface LakeQuery {
  /** Rows as objects. 64-bit integers come as bigint, dates as `YYYY-MM-DD`, timestamps as ISO 8601 in UTC. */
  query(sql: string, parameters: readonly (string | number)[], tables: readonly LakeTable[]): Promise<LakeRow[]>;
}

export type LakeRow = Record<string, string | number | bigint | boolean | null>;

/** The PostgreSQL that holds gold. One call is one statement, and so one transaction. */
export interface Warehouse {
  /** Parameters are `$1`, `$2`, …; numerics and 64-bit integers come back as strings, so that no cent is lost. */
  query<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

/** A warehouse in which several statements can see one moment, or stand and fall together. */
export interface TransactionalWarehouse extends Warehouse {
  /** Whatever `use` throws undoes all and is thrown on. */
  transaction<Result>(kind: TransactionKind, use: (within: Warehouse) => Promise<Result>): Promise<Result>;
}

/** `snapshot` reads, and sees one moment; `write` is kept as a whole; `trial` writes and is always undone. */
export type TransactionKind = "snapshot" | "write" | "trial";

/** A record on its way into the stream. */
export interface OutgoingRecord {
  partitionKey: string;
  /** Chooses the shard by hash, decimal string below 2^128; without it the MD5 of the partition key does. */
  explicitHashKey?: string;
  data: Uint8Array;
}

/** The stream's front door, shaped as Kinesis PutRecords: entries may fail one by one. */
export interface EventSink {
  /** One result per record, in order. A throw means that nothing is known about any of them. */
  putRecords(records: readonly OutgoingRecord[]): Promise<PutResult[]>;
  /** How many shards are open now: the producer keeps one lane for each. */
  openShards(): Promise<number>;
}

export type PutResult = { shard: string; sequenceNumber: string } | { errorCode: string; errorMessage: string };

/** A record as the stream hands it out. */
export interface StreamRecord {
  shard: string;
  /** Decimal, up to 56 digits: compare as BigInt, or as strings padded to 56. */
  sequenceNumber: string;
  partitionKey: string;
  /** When the stream took it, milliseconds since 1970. */
  arrivedAt: number;
  data: Uint8Array;
}

/** Tells people. */
export interface Notifier {
  /** `subject` is one line of at most 100 characters. */
  notify(message: { subject: string; text: string }): Promise<void>;
}

/** Copies that a database server makes of itself, each under the id of the backup that it belongs to. */
export interface DatabaseSnapshots {
  /** Goes on with a snapshot and its export: begins what has not begun, says how far it is. Throws where it failed. */
  advance(id: string): Promise<{ name: string; state: string; isDone: boolean }>;
  /** Removes those of backups before `oldestId`; gives their names. */
  expire(oldestId: string): Promise<string[]>;
}

/** Hears of the runs of workflows, as OpenLineage events. */
export interface LineageEndpoint {
  /** May hear of the same event twice. */
  send(event: object): Promise<void>;
}

/** Starts executions of state machines. */
export interface WorkflowStarter {
  /** A name is used once: a second start under it starts nothing. Neither does one while the workflow runs. */
  start(execution: { workflow: string; name: string; input: object }): Promise<StartOutcome>;
  /** The run of a workflow that began last, by a schedule or by hand; undefined where there was none. */
  newest(workflow: string): Promise<WorkflowRunState | undefined>;
}

/** How a run of a state machine ended, if it has. Times are milliseconds since 1970. */
export interface WorkflowRunState {
  startedAt: number;
  endedAt?: number;
  /** True for a run that failed, took too long or was aborted. */
  hasFailed: boolean;
}

export type StartOutcome = "started" | "already started" | "running";

/** Milliseconds since 1970, as `Date.now` gives them. */
export type Clock = () => number;
