import type { Clock, ObjectStore, TransactionalWarehouse } from "../ports.ts";
import { expireBackups } from "./expire-backups.ts";
import { loadTables } from "./load-tables.ts";
import { proofKey, readManifest } from "./manifest.ts";

/**
 * Restores a backup on trial, into tables of the same form beside the real ones and in a transaction that is undone, and
 * only then lets older backups go. Throws where it cannot be restored, so that the run that made it fails.
 */
export async function proveBackup(
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
