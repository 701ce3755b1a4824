import type { Action, CommitInfo } from "./delta-actions.ts";
import { describeCommit } from "./delta-log.ts";
import { applyActions, emptySnapshot, type Snapshot } from "./delta-snapshot.ts";

/** Snapshots share what they have in common, so that keeping the last ones costs little. */
const snapshotsKept = 16;
const commitsKept = 512;

/** What a commit did, as far as `changes` asks. */
export interface CommitRecord {
  info: CommitInfo;
  partitions: ReadonlySet<string>;
}

/** What an open table remembers, so that most questions need no reading. */
export class TableCache {
  current: Snapshot = emptySnapshot;
  /** When `current` was last known to be the newest, milliseconds since 1970. */
  checkedAt = -Infinity;
  /** How much the log holds beyond its newest checkpoint. */
  sinceCheckpoint = { commits: 0, actions: 0 };
  readonly commits = new Map<number, CommitRecord>();
  private readonly snapshots = new Map<number, Snapshot>();

  find(version: number): Snapshot | undefined {
    return this.current.version === version ? this.current : this.snapshots.get(version);
  }

  /** Takes a snapshot that was read from the log, if it is not older than what is known. */
  take(snapshot: Snapshot, sinceCheckpoint: TableCache["sinceCheckpoint"]): void {
    if (snapshot.version < this.current.version) return;
    this.current = snapshot;
    this.sinceCheckpoint = sinceCheckpoint;
    keep(this.snapshots, snapshot.version, snapshot, snapshotsKept);
  }

  /** Keeps an older version that was asked for: whoever asks for it once asks again. */
  hold(snapshot: Snapshot): void {
    keep(this.snapshots, snapshot.version, snapshot, snapshotsKept);
  }

  /** Moves on by one commit, unless that is known already. */
  advance(version: number, actions: readonly Action[]): void {
    if (version !== this.current.version + 1) return;
    this.current = applyActions(this.current, version, actions);
    this.sinceCheckpoint.commits++;
    this.sinceCheckpoint.actions += actions.length;
    keep(this.snapshots, version, this.current, snapshotsKept);
    this.remember(version, actions);
  }

  /** Notes that a checkpoint was written; what it left out as expired is left out here too. */
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
