import type { Clock, ObjectStore } from "../ports.ts";
import type { CommitInfo, Metadata, Action } from "./actions.ts";
import { loadSnapshot } from "./load-snapshot.ts";
import { readCommit, describeCommit } from "./log.ts";
import { lacksColumns } from "./metadata.ts";
import type { TableShape } from "./plan-commit.ts";
import { type Snapshot, applyActions, emptySnapshot } from "./snapshot.ts";

/** Snapshots share their common entries, so keeping the last ones is cheap. */
const snapshotsKept = 16;
const commitsKept = 512;

/** How long the cached version may be advanced by reading the next commits; after that, the log is listed again. */
const trustMs = 600_000;

/** The commits of a range of versions, and the partitions whose rows they changed. */
export interface Changes {
  partitions: Set<string>;
  commits: CommitInfo[];
}

/** Reads versions of one table, from its cache if possible. */
export class TableReader {
  readonly cache = new TableCache();
  private readonly store: ObjectStore;
  private readonly shape: TableShape;
  private readonly clock: Clock;

  constructor({ store, shape, clock }: { store: ObjectStore; shape: TableShape; clock: Clock }) {
    this.store = store;
    this.shape = shape;
    this.clock = clock;
  }

  async newest(): Promise<Snapshot> {
    const { cache, store, shape } = this;
    if (cache.current.version < 0 || this.clock() - cache.checkedAt > trustMs) {
      const { snapshot, sinceCheckpoint } = await loadSnapshot({ store, root: shape.root });
      cache.take(snapshot, sinceCheckpoint);
    }
    if (cache.current.version >= 0) await this.follow();
    cache.checkedAt = this.clock();
    checkTable(cache.current, shape);
    return cache.current;
  }

  async at(version: number): Promise<Snapshot> {
    const { cache, store, shape } = this;
    const snapshot = cache.find(version) ?? (await loadSnapshot({ store, root: shape.root, version })).snapshot;
    checkTable(snapshot, shape);
    cache.hold(snapshot);
    return snapshot;
  }

  async changes(fromVersion: number, toVersion: number): Promise<Changes | undefined> {
    const changes: Changes = { partitions: new Set(), commits: [] };
    for (let version = fromVersion + 1; version <= toVersion; version++) {
      const record = this.cache.commits.get(version) ?? (await this.readRecord(version));
      if (record === undefined) return undefined;
      changes.commits.push(record.info);
      for (const partition of record.partitions) changes.partitions.add(partition);
    }
    return changes;
  }

  private async follow(): Promise<void> {
    for (;;) {
      const next = this.cache.current.version + 1;
      const actions = await readCommit(this.store, this.shape.root, next);
      if (actions === undefined) return;
      this.cache.advance(next, actions);
    }
  }

  private async readRecord(version: number): Promise<CommitRecord | undefined> {
    const actions = await readCommit(this.store, this.shape.root, version);
    return actions && this.cache.remember(version, actions);
  }
}

/** The metadata that was last checked against a shape; most versions of a table share it. */
const fitting = new WeakMap<TableShape, Metadata>();

function checkTable({ metadata, protocol, version }: Snapshot, shape: TableShape): void {
  if (version < 0) return;
  if (metadata === undefined || protocol === undefined) {
    throw new Error(
      `Delta table ${shape.root}: version ${version} has no metadata or no protocol; restore its log from a backup`,
    );
  }
  const { minReaderVersion, minWriterVersion } = protocol;
  if (minReaderVersion > 1 || minWriterVersion > 2) {
    throw new Error(
      `Delta table ${shape.root}: it requires reader ${minReaderVersion} and writer ${minWriterVersion}, ` +
        "but this program supports reader 1 and writer 2; undo the upgrade of the table, or rebuild it from bronze",
    );
  }
  if (fitting.get(shape) === metadata) return;
  lacksColumns(metadata, shape);
  fitting.set(shape, metadata);
}

/** The part of a commit that `changes` needs. */
interface CommitRecord {
  info: CommitInfo;
  partitions: ReadonlySet<string>;
}

/** Caches snapshots and commits of an open table, so that most calls read nothing. */
export class TableCache {
  current: Snapshot = emptySnapshot;
  /** When `current` was last known to be the newest, milliseconds since 1970. */
  checkedAt = -Infinity;
  /** Commits and actions in the log since its newest checkpoint. */
  sinceCheckpoint = { commits: 0, actions: 0 };
  readonly commits = new Map<number, CommitRecord>();
  private readonly snapshots = new Map<number, Snapshot>();

  find(version: number): Snapshot | undefined {
    return this.current.version === version ? this.current : this.snapshots.get(version);
  }

  /** Caches a snapshot that was read from the log as the current one, unless it is older. */
  take(snapshot: Snapshot, sinceCheckpoint: TableCache["sinceCheckpoint"]): void {
    if (snapshot.version < this.current.version) return;
    this.current = snapshot;
    this.sinceCheckpoint = sinceCheckpoint;
    keep(this.snapshots, snapshot.version, snapshot, snapshotsKept);
  }

  /** Caches an older version, because it is usually requested again. */
  hold(snapshot: Snapshot): void {
    keep(this.snapshots, snapshot.version, snapshot, snapshotsKept);
  }

  /** Advances by one commit, unless it has been applied already. */
  advance(version: number, actions: readonly Action[]): void {
    if (version !== this.current.version + 1) return;
    this.current = applyActions(this.current, version, actions);
    this.sinceCheckpoint.commits++;
    this.sinceCheckpoint.actions += actions.length;
    keep(this.snapshots, version, this.current, snapshotsKept);
    this.remember(version, actions);
  }

  /** Records that a checkpoint was written, and drops what it dropped as expired. */
  checkpointed(snapshot: Snapshot, since: TableCache["sinceCheckpoint"]): void {
    this.sinceCheckpoint.commits -= since.commits;
    this.sinceCheckpoint.actions -= since.actions;
    if (this.current.version === snapshot.version) this.current = snapshot;
  }

  remember(version: number, actions: readonly Action[]): CommitRecord {
    const record = describeCommit(version, actions);
    keep(this.commits, version, record, commitsKept);
    return record;
  }
}

function keep<Value>(map: Map<number, Value>, version: number, value: Value, limit: number): void {
  map.delete(version);
  map.set(version, value);
  if (map.size > limit) map.delete(map.keys().next().value!);
}
