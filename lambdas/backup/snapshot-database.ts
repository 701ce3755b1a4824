import type { Clock, DatabaseSnapshots } from "../ports.ts";
import { backupId } from "./manifest.ts";

export interface SnapshotProgress {
  /** Name of the snapshot and of its export; null where the server makes none of its own. */
  snapshot: string | null;
  state: string;
  isDone: boolean;
  /** Older ones that were removed. */
  removed: string[];
}

const dayMs = 24 * 3_600_000;

/**
 * Takes the next step of the database server's own snapshot and export that belong to a backup; to be called until it is
 * done. A server without snapshots of its own is done at once.
 */
export async function snapshotDatabase(
  { snapshots, clock }: { snapshots: DatabaseSnapshots | undefined; clock: Clock },
  { id, keepDays }: { id: string; keepDays: number },
): Promise<SnapshotProgress> {
  if (snapshots === undefined) return { snapshot: null, state: "none", isDone: true, removed: [] };
  const { name, state, isDone } = await snapshots.advance(id);
  const removed = isDone ? await snapshots.expire(backupId(clock() - keepDays * dayMs)) : [];
  return { snapshot: name, state, isDone, removed };
}
