import { readCatalogFiles } from "../../adapters/project-files.ts";
import { openWarehouse } from "../../adapters/warehouse.ts";
import { restoreBackup } from "../../pipeline/backup/restore-backup.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openBackups, openLake } from "../runtime/resources.ts";
import { warehouseSettings } from "../runtime/settings.ts";

const open = lazy(async () => ({
  ...openLake(),
  backups: openBackups(),
  catalog: readCatalogFiles(),
  warehouse: await openWarehouse(warehouseSettings()),
}));

/** Restores a backup into an empty warehouse; invoked by `./pizza restore`. */
export const handler = createHandler(async (input: { id?: string }) => await restoreBackup(await open(), input));
