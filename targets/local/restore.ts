import { existsSync, mkdirSync, rmSync } from "node:fs";
import { openFolderStore } from "../../adapters/folder-store.ts";
import type { BackupSummary } from "../../pipeline/backup/back-up-warehouse.ts";
import { chooseBackup, restoreBackup } from "../../pipeline/backup/restore-backup.ts";
import { openSilver } from "../../pipeline/silver/tables.ts";
import type { ObjectStore } from "../../pipeline/ports.ts";
import {
  dataDirectory,
  type DataDirectory,
  readPipelineRecord,
  rejectLostRecord,
  runningProcess,
} from "./data-directory.ts";
import { openStreamLog } from "./stream/stream-log.ts";
import { openWarehouses } from "./warehouses.ts";

/**
 * Restores a backup into the home's PostgreSQL, which is made anew where its folder is gone. The home must not run: its
 * timer would fill gold from silver first. `from` is another folder with backups than the home's own.
 */
export async function restoreLocalPipeline({
  dir,
  id,
  from,
  onLog,
}: {
  dir: string;
  id?: string | undefined;
  from?: string | undefined;
  onLog: (line: string) => void;
}): Promise<BackupSummary> {
  const folder = dataDirectory(dir);
  if (readPipelineRecord(folder) === undefined) {
    rejectLostRecord(folder);
    throw new Error(`there is no home in ${folder.root}: a backup goes back into the home that made it`);
  }
  const running = runningProcess(folder);
  if (running !== undefined) {
    throw new Error(`the home runs in process ${running.pid}: stop it with ./pizza stop, then restore`);
  }
  const backupFolder = from ?? folder.backups;
  if (!existsSync(backupFolder))
    throw new Error(`there are no backups in ${backupFolder}: name their folder with --from`);
  const backups = openFolderStore(backupFolder);
  // Before PostgreSQL is made anew: an empty one would hide that the database is lost.
  const chosen = await chooseBackup(backups, id);
  // Its lock says that no other process has this home.
  const stream = await openStreamLog({ dir: folder.stream, shards: 1, onNotice: onLog });
  try {
    const isLost = !existsSync(folder.postgres);
    mkdirSync(folder.postgres, { recursive: true });
    try {
      return await restoreInto(folder, { backups, id: chosen.id, onLog });
    } catch (error) {
      if (isLost) rmSync(folder.postgres, { recursive: true, force: true });
      throw error;
    }
  } finally {
    await stream.close();
  }
}

async function restoreInto(
  folder: DataDirectory,
  { backups, id, onLog }: { backups: ObjectStore; id: string; onLog: (line: string) => void },
): Promise<BackupSummary> {
  const warehouses = await openWarehouses({ dir: folder.postgres, port: undefined, onLog });
  try {
    const silver = openSilver({ store: openFolderStore(folder.lake), clock: Date.now });
    return await restoreBackup({ warehouse: warehouses.owner, backups, silver }, { id });
  } finally {
    await warehouses.close();
  }
}
