import type { ObjectStore } from "../ports.ts";
import { decodeCheckpoint } from "./checkpoint.ts";
import { checkpointKey, lastCheckpointKey, listLog, logFolder, readCommit, type LogFiles } from "./log.ts";
import { applyActions, emptySnapshot, type Snapshot } from "./snapshot.ts";

/** A snapshot, and how many commits and actions followed its checkpoint. */
export interface LoadedSnapshot {
  snapshot: Snapshot;
  sinceCheckpoint: { commits: number; actions: number };
}

/** The requested version is older than the log retention. */
export class VersionNotKept extends Error {}

/**
 * Reads a version of a table from its log, by default the newest: the last checkpoint at or before it, then every
 * commit after that. Returns an empty snapshot if the table does not exist. Throws if the version does not exist, is
 * older than the log retention (`VersionNotKept`), or if the log has a gap.
 */
export async function loadSnapshot({
  store,
  root,
  version,
}: {
  store: ObjectStore;
  root: string;
  version?: number;
}): Promise<LoadedSnapshot> {
  const { commits, checkpoints } = await listFrom(
    store,
    root,
    version === undefined ? await lastCheckpoint(store, root) : 0,
  );
  const newest = Math.max(-1, ...commits.slice(-1), ...checkpoints.slice(-1));
  const wanted = version ?? newest;
  if (wanted > newest)
    throw new Error(`Delta table ${root}: version ${wanted} does not exist; the newest is ${newest}`);
  const sinceCheckpoint = { commits: 0, actions: 0 };
  if (wanted < 0) return { snapshot: emptySnapshot, sinceCheckpoint };
  const base = checkpoints.findLast((checkpoint) => checkpoint <= wanted) ?? -1;
  if (base < 0 && checkpoints.length > 0 && commits[0] !== 0) {
    throw new VersionNotKept(
      `Delta table ${root}: version ${wanted} is older than the log retention; the oldest version is ${checkpoints[0]}`,
    );
  }
  checkForGap(root, { after: base, upTo: wanted, commits });
  let snapshot = base < 0 ? emptySnapshot : await readCheckpoint(store, root, base);
  for (let next = base + 1; next <= wanted; next++) {
    const actions = await readCommit(store, root, next);
    if (actions === undefined) throw gone(root, next);
    snapshot = applyActions(snapshot, next, actions);
    sinceCheckpoint.commits++;
    sinceCheckpoint.actions += actions.length;
  }
  return { snapshot, sinceCheckpoint };
}

/** Lists the log from the hinted checkpoint on, or all of it if that checkpoint does not exist. */
async function listFrom(store: ObjectStore, root: string, hint: number): Promise<LogFiles> {
  const log = await listLog(store, root, hint);
  return hint === 0 || log.checkpoints.includes(hint) ? log : await listLog(store, root);
}

async function lastCheckpoint(store: ObjectStore, root: string): Promise<number> {
  const body = await store.get(lastCheckpointKey(root));
  if (body === undefined) return 0;
  try {
    const { version }: { version?: unknown } = JSON.parse(Buffer.from(body).toString());
    return Number.isSafeInteger(version) ? Math.max(0, version as number) : 0;
  } catch {
    // Only a hint (Delta protocol, "Last Checkpoint File"): without it the whole log is listed.
    return 0;
  }
}

async function readCheckpoint(store: ObjectStore, root: string, version: number): Promise<Snapshot> {
  const body = await store.get(checkpointKey(root, version));
  if (body === undefined) throw gone(root, version);
  const actions = await decodeCheckpoint(body).catch((cause: unknown) => {
    const key = checkpointKey(root, version);
    throw new Error(`Delta table ${root}: ${key} cannot be read; restore the file from a backup`, { cause });
  });
  return applyActions(emptySnapshot, version, actions);
}

function checkForGap(root: string, { after, upTo, commits }: { after: number; upTo: number; commits: number[] }): void {
  const existing = new Set(commits);
  for (let version = after + 1; version <= upTo; version++) {
    if (existing.has(version)) continue;
    throw new Error(
      `Delta table ${root}: version ${version} is missing from ${logFolder(root)}; restore the file from a backup`,
    );
  }
}

function gone(root: string, version: number): Error {
  return new Error(`Delta table ${root}: version ${version} was removed from the log during the read; retry the read`);
}
