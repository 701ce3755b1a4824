import { openWarehouse } from "../../adapters/warehouse.ts";
import { verifyBackup } from "../../pipeline/backup/verify-backup.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openBackups } from "../runtime/resources.ts";
import { warehouseSettings } from "../runtime/settings.ts";

const open = lazy(async () => ({
  backups: openBackups(),
  warehouse: await openWarehouse(warehouseSettings()),
  clock: Date.now,
}));

/** Verifies a backup with a test restore, and deletes old backups. */
export const handler = createHandler(
  async (input: { id: string; keepDays: number }) => await verifyBackup(await open(), input),
);
