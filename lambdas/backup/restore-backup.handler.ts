import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openBackups } from "../handlers/open-backups.ts";
import { openLake } from "../handlers/open-lake.ts";
import { openWarehouse } from "../handlers/open-warehouse.ts";
import { restoreBackup } from "./restore-backup.ts";

const open = once(async () => ({ ...openLake(), backups: openBackups(), warehouse: await openWarehouse() }));

/** Restores a backup into an empty warehouse; called by a person, over `pizza restore`. */
export const handler = createHandler(async (input: { id?: string }) => await restoreBackup(await open(), input));
