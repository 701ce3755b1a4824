import type { LakeTable } from "../ports.ts";
import type { Column } from "../silver/columns.ts";
import {
  addedFile,
  removedFile,
  type Action,
  type AddFile,
  type Metadata,
  type Protocol,
  type RemovedFile,
  type Transaction,
} from "./actions.ts";

/**
 * An immutable map. Creating the next version costs about as much as its changes: it shares the previous version's
 * entries, and copies them only once many changes have accumulated.
 */
export class VersionedMap<Value> implements ReadonlyMap<string, Value> {
  readonly size: number;
  private readonly base: ReadonlyMap<string, Value>;
  /** Differences from the base; undefined marks a removed entry. */
  private readonly changes: ReadonlyMap<string, Value | undefined>;

  constructor(
    base: ReadonlyMap<string, Value> = new Map(),
    changes: ReadonlyMap<string, Value | undefined> = new Map(),
  ) {
    this.base = base;
    this.changes = changes;
    let size = base.size;
    for (const [key, value] of changes) size += Number(value !== undefined) - Number(base.has(key));
    this.size = size;
  }

  /** Returns the next version; an entry set to undefined is removed. */
  with(changes: ReadonlyMap<string, Value | undefined>): VersionedMap<Value> {
    if (changes.size === 0) return this;
    const next = new VersionedMap(this.base, new Map([...this.changes, ...changes]));
    const isCrowded = next.changes.size > 64 && next.changes.size ** 2 > 64 * next.base.size;
    return isCrowded ? new VersionedMap(new Map(next)) : next;
  }

  get(key: string): Value | undefined {
    return this.changes.has(key) ? this.changes.get(key) : this.base.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  *entries(): MapIterator<[string, Value]> {
    for (const entry of this.base) if (!this.changes.has(entry[0])) yield entry;
    for (const [key, value] of this.changes) if (value !== undefined) yield [key, value];
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<Value> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }

  forEach(visit: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }
}

/** One version of a table; immutable. */
export interface Snapshot {
  /** -1 if the table does not exist yet. */
  readonly version: number;
  readonly metadata: Metadata | undefined;
  readonly protocol: Protocol | undefined;
  readonly files: ReadonlyMap<string, AddFile>;
  /** The files by partition value; under "" in a table without partitions. */
  readonly partitions: ReadonlyMap<string, readonly AddFile[]>;
  readonly transactions: ReadonlyMap<string, Transaction>;
  /** Tombstones that have not expired. */
  readonly removed: ReadonlyMap<string, RemovedFile>;
}

/** The snapshot of a table before its first commit. */
export const emptySnapshot: Snapshot = {
  version: -1,
  metadata: undefined,
  protocol: undefined,
  files: new VersionedMap(),
  partitions: new VersionedMap(),
  transactions: new VersionedMap(),
  removed: new VersionedMap(),
};

/**
 * Returns the snapshot after the actions of a commit or a checkpoint; the cost is about proportional to the actions.
 */
export function applyActions(before: Snapshot, version: number, actions: readonly Action[]): Snapshot {
  const files = new Map<string, AddFile | undefined>();
  const removed = new Map<string, RemovedFile | undefined>();
  const transactions = new Map<string, Transaction>();
  let { metadata, protocol } = before;
  for (const { add, remove, txn, ...action } of actions) {
    if (add) {
      files.set(add.path, addedFile(add));
      removed.set(add.path, undefined);
    } else if (remove) {
      files.set(remove.path, undefined);
      removed.set(remove.path, removedFile(remove));
    } else if (txn) {
      transactions.set(txn.appId, { version: txn.version, lastUpdated: txn.lastUpdated ?? 0 });
    }
    metadata = action.metaData ?? metadata;
    protocol = action.protocol ?? protocol;
  }
  return {
    version,
    metadata,
    protocol,
    files: versioned(before.files).with(files),
    partitions: versioned(before.partitions).with(changedPartitions(before, files)),
    transactions: versioned(before.transactions).with(transactions),
    removed: versioned(before.removed).with(removed),
  };
}

function changedPartitions(before: Snapshot, files: ReadonlyMap<string, AddFile | undefined>) {
  const changed = new Map<string, Map<string, AddFile>>();
  for (const [path, file] of files) {
    const partition = (file ?? before.files.get(path))?.partition ?? "";
    let members = changed.get(partition);
    if (members === undefined) {
      members = new Map((before.partitions.get(partition) ?? []).map((member) => [member.path, member]));
      changed.set(partition, members);
    }
    if (file === undefined) members.delete(path);
    else members.set(path, file);
  }
  return new Map(
    [...changed].map(([partition, members]) => [partition, members.size === 0 ? undefined : [...members.values()]]),
  );
}

function versioned<Value>(map: ReadonlyMap<string, Value>): VersionedMap<Value> {
  return map instanceof VersionedMap ? map : new VersionedMap(map);
}

/** Returns a snapshot as a lake table: all of its files, or those of some partitions. */
export function lakeTable(
  snapshot: Snapshot,
  {
    root,
    name,
    columns,
    partitionColumn,
    partitions,
  }: {
    root: string;
    name: string;
    columns: readonly Column[];
    partitionColumn?: string;
    partitions?: readonly string[];
  },
): LakeTable {
  const files =
    partitions === undefined
      ? [...snapshot.files.values()]
      : partitions.flatMap((partition) => snapshot.partitions.get(partition) ?? []);
  const types = columns.map((column) => ({ name: column.name, type: column.type }));
  return {
    name,
    version: snapshot.version,
    files: files.map(({ path }) => `${root}/${path}`),
    columns: partitionColumn === undefined ? types : [...types, { name: partitionColumn, type: "date" }],
    ...(partitionColumn !== undefined && { partitionColumn }),
  };
}
