import type { Clock, ObjectStore, TransactionalWarehouse } from "../ports.ts";
import { proofKey, readManifest, backupId, listBackupKeys, manifestKey } from "./manifest.ts";
import { loadTables } from "./restore-backup.ts";
import { dayMs } from "../domain/dates.ts";

/** Number of verified backups that are kept whatever their age. */
const keptAlways = 3;

/**
 * Verifies a backup by a test restore: loads it into tables of the same form, in a transaction that is rolled back.
 * Only then deletes expired backups. Throws if the backup cannot be restored, so that the run that made it fails.
 */
export async function verifyBackup(
  { warehouse, backups, clock }: { warehouse: TransactionalWarehouse; backups: ObjectStore; clock: Clock },
  { id, keepDays }: { id: string; keepDays: number },
): Promise<{ id: string; tables: number; removed: string[] }> {
  const manifest = await readManifest(backups, id);
  const schema = `trial_${id.toLowerCase()}`;
  await warehouse.transaction("trial", async (within) => {
    await within.query("select ops.open_trial($1)::text", [schema]);
    await loadTables({ warehouse: within, backups }, manifest, (table) => `${schema}."${table}"`);
  });
  const proof = { id, provenAt: new Date(clock()).toISOString() };
  await backups.put(proofKey(id), Buffer.from(`${JSON.stringify(proof)}\n`), { ifAbsent: true });
  const removed = await expireBackups({ backups, clock }, { keepDays });
  return { id, tables: manifest.tables.length, removed };
}

/**
 * Deletes backups older than `keepDays`, complete or not, but never one of the newest verified ones. Returns the
 * deleted ids. The manifest is deleted first, so that a partly deleted backup counts as incomplete.
 */
export async function expireBackups(
  { backups, clock }: { backups: ObjectStore; clock: Clock },
  { keepDays }: { keepDays: number },
): Promise<string[]> {
  const found = await listBackupKeys(backups);
  const proven = [...found].filter(([id, keys]) => keys.includes(proofKey(id))).map(([id]) => id);
  const kept = new Set(proven.slice(-keptAlways));
  const oldest = backupId(clock() - keepDays * dayMs);
  const expired = [...found].filter(([id]) => id < oldest && !kept.has(id));
  for (const [id, keys] of expired) {
    const last = keys.filter((key) => key !== manifestKey(id));
    for (const key of [manifestKey(id), ...last]) await backups.delete(key);
  }
  return expired.map(([id]) => id);
}
