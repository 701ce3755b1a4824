import type { ObjectStore } from "../ports.ts";
import { madeAt } from "./data-file-name.ts";
import { checkpointKey, commitKey, listLog, logFolder, readCommit } from "./log.ts";
import { loadSnapshot } from "./load-snapshot.ts";
import { dayMs } from "../domain/dates.ts";

/** What was cleared away. */
export interface VacuumSummary {
  logFiles: number;
  dataFiles: number;
  /** The oldest version that can still be read; -1 where there is no table. */
  oldestVersion: number;
}

const readsAtOnce = 32;

/**
 * Clears away commits and checkpoints before the newest checkpoint that is older than the log's retention, and data
 * files that no version still kept names. A file that never was in the table goes once it is older than
 * `orphanRetentionMs`, by the time in its name: younger ones may be about to be committed. It reads the whole log, so it
 * waits until that reaches a day further back than it has to.
 */
export async function vacuumTable(
  { store, root, now }: { store: ObjectStore; root: string; now: number },
  { logRetentionMs, orphanRetentionMs }: { logRetentionMs: number; orphanRetentionMs: number },
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

/** When a version was committed, milliseconds since 1970; undefined where its commit is gone or does not say. */
async function madeOf(place: { store: ObjectStore; root: string }, version: number): Promise<number | undefined> {
  const actions = await readCommit(place.store, place.root, version);
  return actions?.find(({ commitInfo }) => commitInfo)?.commitInfo?.timestamp;
}

/** The newest checkpoint whose commit was made before `time`. */
async function newestBefore(place: { store: ObjectStore; root: string }, checkpoints: readonly number[], time: number) {
  for (const version of checkpoints.toReversed()) {
    const made = await madeOf(place, version);
    if (made !== undefined && made <= time) return version;
  }
  return undefined;
}

/** Every data file that the oldest kept version or a later one names. */
async function namedFiles(place: { store: ObjectStore; root: string }, oldest: number, commits: readonly number[]) {
  const named = new Set((await loadSnapshot({ ...place, version: oldest })).snapshot.files.keys());
  const later = commits.filter((commit) => commit > oldest);
  for (let start = 0; start < later.length; start += readsAtOnce) {
    const reads = later
      .slice(start, start + readsAtOnce)
      .map((version) => readCommit(place.store, place.root, version));
    for (const { add } of (await Promise.all(reads)).flatMap((actions) => actions ?? [])) if (add) named.add(add.path);
  }
  return named;
}
