import type { Clock, ObjectStore } from "../ports.ts";
import { backupId, listBackupKeys, manifestKey, proofKey } from "./manifest.ts";

/** So many proven backups stay, however old they are. */
const keptAlways = 3;
const dayMs = 24 * 3_600_000;

/**
 * Removes backups, begun ones too, that are older than `keepDays`, but never one of the newest that are proven. Gives the
 * ids of those it removed. The manifest goes first: half a backup is none.
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
