import type { ObjectStore } from "../ports.ts";
import { madeAt } from "./data-file-name.ts";
import { checkpointKey, commitKey, listLog, logFolder, readCommit } from "./log.ts";
import { loadSnapshot } from "./load-snapshot.ts";
import { dayMs } from "../domain/dates.ts";

/** What a vacuum deleted. */
export interface VacuumSummary {
  logFiles: number;
  dataFiles: number;
  /** The oldest version that can still be read; -1 if the table does not exist. */
  oldestVersion: number;
}

/** How long a vacuum keeps commits and unreferenced data files, in milliseconds, and when it stops. */
export interface VacuumOptions {
  logRetentionMs: number;
  orphanRetentionMs: number;
  shouldStop?: () => boolean;
}

const requestsAtOnce = 32;

/**
 * Deletes commits and checkpoints before the newest checkpoint that is older than the log retention, and data files
 * that no remaining version references. Unreferenced files are kept until they are older than `orphanRetentionMs`, by
 * the time in their name, because a writer may be about to commit them. A vacuum reads the whole log, so it does
 * nothing until the log goes back a day further than the retention. It deletes nothing more once `shouldStop` returns
 * true; the next vacuum goes on.
 */
export async function vacuumTable(
  { store, root, now }: { store: ObjectStore; root: string; now: number },
  { logRetentionMs, orphanRetentionMs, shouldStop = () => false }: VacuumOptions,
): Promise<VacuumSummary> {
  const log = await listLog(store, root);
  if (log.commits.length === 0) return { logFiles: 0, dataFiles: 0, oldestVersion: -1 };
  const oldestReadable = log.commits[0] === 0 ? 0 : (log.checkpoints[0] ?? log.commits[0]!);
  const oldestMade = (await madeOf({ store, root }, oldestReadable)) ?? 0;
  if (oldestMade > now - logRetentionMs - dayMs) return { logFiles: 0, dataFiles: 0, oldestVersion: oldestReadable };
  const base = await newestBefore({ store, root }, log.checkpoints, now - logRetentionMs);
  const oldestVersion = base ?? oldestReadable;
  const named = await namedFiles({ store, root }, oldestVersion, log.commits);
  const expired = [
    ...log.checkpoints.filter((version) => version < oldestVersion).map((version) => checkpointKey(root, version)),
    ...log.commits.filter((version) => version < oldestVersion).map((version) => commitKey(root, version)),
  ];
  const logFiles = await deleteInOrder(store, expired, shouldStop);
  const orphans = (await store.list(`${root}/`)).filter(
    ({ key }) =>
      !key.startsWith(logFolder(root)) &&
      !named.has(key.slice(root.length + 1)) &&
      (madeAt(key) ?? Infinity) <= now - orphanRetentionMs,
  );
  const dataFiles = await deleteInOrder(
    store,
    orphans.map(({ key }) => key),
    shouldStop,
  );
  return { logFiles, dataFiles, oldestVersion };
}

/** Deletes objects, some at once, until told to stop; returns how many. A vacuum that stops leaves a readable table. */
async function deleteInOrder(store: ObjectStore, keys: readonly string[], shouldStop: () => boolean): Promise<number> {
  let deleted = 0;
  while (deleted < keys.length && !shouldStop()) {
    const next = keys.slice(deleted, deleted + requestsAtOnce);
    await Promise.all(next.map((key) => store.delete(key)));
    deleted += next.length;
  }
  return deleted;
}

/** Returns when a version was committed, in milliseconds since 1970; undefined if its commit is gone or has no time. */
async function madeOf(
  { store, root }: { store: ObjectStore; root: string },
  version: number,
): Promise<number | undefined> {
  const actions = await readCommit(store, root, version);
  return actions?.find(({ commitInfo }) => commitInfo)?.commitInfo?.timestamp;
}

/** Returns the newest checkpoint that was committed before `time`. */
async function newestBefore(table: { store: ObjectStore; root: string }, checkpoints: readonly number[], time: number) {
  for (const version of checkpoints.toReversed()) {
    const made = await madeOf(table, version);
    if (made !== undefined && made <= time) return version;
  }
  return undefined;
}

/** Returns every data file that the oldest remaining version or a later one references. */
async function namedFiles(table: { store: ObjectStore; root: string }, oldest: number, commits: readonly number[]) {
  const named = new Set((await loadSnapshot({ ...table, version: oldest })).snapshot.files.keys());
  const later = commits.filter((commit) => commit > oldest);
  for (let start = 0; start < later.length; start += requestsAtOnce) {
    const reads = later
      .slice(start, start + requestsAtOnce)
      .map((version) => readCommit(table.store, table.root, version));
    for (const { add } of (await Promise.all(reads)).flatMap((actions) => actions ?? [])) if (add) named.add(add.path);
  }
  return named;
}
