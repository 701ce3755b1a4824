import { backupId } from "../backup/manifest.ts";
import type { DeltaTable } from "../delta/table.ts";
import type { Clock, ObjectStore } from "../ports.ts";
import { openQuarantine, openSilver } from "../silver/tables.ts";
import { dayMs } from "../domain/dates.ts";

/** Empty copies of silver and the quarantine, in a separate folder of the lake. */
export interface StagingTables {
  /** The lake, with the keys of silver and the quarantine redirected to the staging folder. */
  store: ObjectStore;
  silver: DeltaTable;
  quarantine: DeltaTable;
  /** Returns the key in the lake of an object of the staging tables. */
  keyOf(key: string): string;
  remove(): Promise<void>;
}

/** The folder of all staging tables. */
export const stagingFolder = "silver/rebuild/";
const tables = /^(silver|quarantine)\//;

/** Opens new staging tables, and removes those that a killed rebuild left more than a day ago. */
export async function openStagingTables({
  store,
  clock,
  id,
}: {
  store: ObjectStore;
  clock: Clock;
  id: string;
}): Promise<StagingTables> {
  await removeLeftovers(store, clock() - dayMs);
  const prefix = `${stagingFolder}${id}/`;
  const keyOf = (key: string) => (tables.test(key) ? prefix + key : key);
  const staging: ObjectStore = {
    get: (key) => store.get(keyOf(key)),
    put: (key, body, options) => store.put(keyOf(key), body, options),
    delete: (key) => store.delete(keyOf(key)),
    async list(wanted, { startAfter } = {}) {
      const from = startAfter === undefined ? {} : { startAfter: keyOf(startAfter) };
      const found = await store.list(keyOf(wanted), from);
      return tables.test(wanted) ? found.map(({ key, size }) => ({ key: key.slice(prefix.length), size })) : found;
    },
  };
  return {
    store: staging,
    silver: openSilver({ store: staging, clock }),
    quarantine: openQuarantine({ store: staging, clock }),
    keyOf,
    remove: () => removeAll(store, prefix),
  };
}

/** Removes staging tables that were created before a time; their id is their creation time. */
async function removeLeftovers(store: ObjectStore, before: number): Promise<void> {
  const oldest = stagingFolder + backupId(before);
  for (const { key } of await store.list(stagingFolder)) if (key < oldest) await store.delete(key);
}

async function removeAll(store: ObjectStore, prefix: string): Promise<void> {
  for (const { key } of await store.list(prefix)) await store.delete(key);
}
