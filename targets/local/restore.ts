import { existsSync, mkdirSync, rmSync } from "node:fs";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { readCatalogFiles } from "../../adapters/project-files.ts";
import type { BackupSummary } from "../../pipeline/backup/back-up-warehouse.ts";
import { chooseBackup, restoreBackup } from "../../pipeline/backup/restore-backup.ts";
import type { ObjectStore } from "../../pipeline/ports.ts";
import { openSilver } from "../../pipeline/silver/tables.ts";
import {
  dataDirectory,
  lockDataDirectory,
  readPipelineRecord,
  rejectLostRecord,
  runningProcess,
  type DataDirectory,
} from "./data-directory.ts";
import { openWarehouses } from "./warehouses.ts";

/**
 * Restores a backup into the local pipeline's PostgreSQL, which is recreated if its folder is missing. The pipeline
 * must not be running: its timer would fill gold from silver first. `from` is a folder with backups other than the data
 * directory's own.
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
    throw new Error(`no local pipeline in ${folder.root}: restore a backup into the data directory that made it`);
  }
  const running = runningProcess(folder);
  if (running !== undefined) {
    throw new Error(`the local pipeline is running in process ${running.pid}: stop it with ./pizza stop, then restore`);
  }
  const backupFolder = from ?? folder.backups;
  if (!existsSync(backupFolder))
    throw new Error(`backup folder ${backupFolder} does not exist: give another one with --from`);
  const backups = openFolderStore(backupFolder);
  // Chosen before PostgreSQL is recreated: an empty database would hide that the old one is lost.
  const chosen = await chooseBackup(backups, id);
  const unlock = lockDataDirectory(folder);
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
    unlock();
  }
}

async function restoreInto(
  folder: DataDirectory,
  { backups, id, onLog }: { backups: ObjectStore; id: string; onLog: (line: string) => void },
): Promise<BackupSummary> {
  const warehouses = await openWarehouses({ dir: folder.postgres, port: undefined, onLog });
  try {
    const silver = openSilver({ store: openFolderStore(folder.lake), clock: Date.now });
    return await restoreBackup({ warehouse: warehouses.owner, backups, silver, catalog: readCatalogFiles() }, { id });
  } finally {
    await warehouses.close();
  }
}
