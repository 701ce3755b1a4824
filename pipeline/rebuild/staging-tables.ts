import { backupId } from "../backup/manifest.ts";
import type { DeltaTable } from "../delta/table.ts";
import type { Clock, ObjectStore } from "../ports.ts";
import { openQuarantine, openSilver } from "../silver/tables.ts";
import { dayMs } from "../domain/dates.ts";

/** Two tables as silver and the quarantine are, empty at first, beside them in the same lake. */
export interface StagingTables {
  /** Bronze as it is; whatever is written to silver or the quarantine lies aside. */
  store: ObjectStore;
  silver: DeltaTable;
  quarantine: DeltaTable;
  /** Key in the lake of an object of the side tables. */
  keyOf(key: string): string;
  remove(): Promise<void>;
}

/** Everything below this belongs to side lakes. */
export const stagingFolder = "silver/rebuild/";
const tables = /^(silver|quarantine)\//;

/** Opens a side lake of its own; what one that was killed has left a day ago and longer is removed first. */
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

/** An id is the moment it was made at. */
async function removeLeftovers(store: ObjectStore, before: number): Promise<void> {
  const oldest = stagingFolder + backupId(before);
  for (const { key } of await store.list(stagingFolder)) if (key < oldest) await store.delete(key);
}

async function removeAll(store: ObjectStore, prefix: string): Promise<void> {
  for (const { key } of await store.list(prefix)) await store.delete(key);
}
