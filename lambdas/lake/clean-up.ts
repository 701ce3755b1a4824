import type { ObjectStore } from "../ports.ts";
import { madeAt } from "./data-file-name.ts";
import { checkpointKey, commitKey, listLog, logFolder, readCommit } from "./delta-log.ts";
import { loadSnapshot } from "./load-snapshot.ts";

/** What was cleared away. */
export interface CleanUpSummary {
  logFiles: number;
  dataFiles: number;
  /** The oldest version that can still be read; -1 where there is no table. */
  oldestVersion: number;
}

/**
 * Clears away commits and checkpoints before the newest checkpoint that is older than the log's retention, and data
 * files that no version still kept names. A file that never was in the table goes once it is older than
 * `orphanRetentionMs`, by the time in its name: younger ones may be about to be committed.
 */
export async function cleanUpTable(
  { store, root, now }: { store: ObjectStore; root: string; now: number },
  { logRetentionMs, orphanRetentionMs }: { logRetentionMs: number; orphanRetentionMs: number },
): Promise<CleanUpSummary> {
  const log = await listLog(store, root);
  if (log.commits.length === 0) return { logFiles: 0, dataFiles: 0, oldestVersion: -1 };
  const base = await newestBefore({ store, root }, log.checkpoints, now - logRetentionMs);
  const oldestReadable = log.commits[0] === 0 ? 0 : (log.checkpoints[0] ?? log.commits[0]!);
  const oldestVersion = base ?? oldestReadable;
  const named = await namedFiles({ store, root }, oldestVersion, log.commits);
  const expired = [
    ...log.checkpoints.filter((version) => version < oldestVersion).map((version) => checkpointKey(root, version)),
    ...log.commits.filter((version) => version < oldestVersion).map((version) => commitKey(root, version)),
  ];
  for (const key of expired) await store.delete(key);
  let dataFiles = 0;
  for (const { key } of await store.list(`${root}/`)) {
    if (key.startsWith(logFolder(root)) || named.has(key.slice(root.length + 1))) continue;
    if ((madeAt(key) ?? Infinity) > now - orphanRetentionMs) continue;
    await store.delete(key);
    dataFiles++;
  }
  return { logFiles: expired.length, dataFiles, oldestVersion };
}

/** The newest checkpoint whose commit was made before `time`. */
async function newestBefore(place: { store: ObjectStore; root: string }, checkpoints: readonly number[], time: number) {
  for (const version of checkpoints.toReversed()) {
    const actions = await readCommit(place.store, place.root, version);
    const made = actions?.find(({ commitInfo }) => commitInfo)?.commitInfo?.timestamp;
    if (made !== undefined && made <= time) return version;
  }
  return undefined;
}

/** Every data file that the oldest kept version or a later one names. */
async function namedFiles(place: { store: ObjectStore; root: string }, oldest: number, commits: readonly number[]) {
  const named = new Set((await loadSnapshot({ ...place, version: oldest })).snapshot.files.keys());
  for (const version of commits.filter((commit) => commit > oldest)) {
    for (const { add } of (await readCommit(place.store, place.root, version)) ?? []) if (add) named.add(add.path);
  }
  return named;
}
