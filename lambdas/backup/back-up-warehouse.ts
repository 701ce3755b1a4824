import { openWarehouse } from "../../adapters/warehouse.ts";
import { backUpWarehouse } from "../../pipeline/backup/back-up-warehouse.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openBackups, openLake } from "../runtime/resources.ts";
import { warehouseSettings } from "../runtime/settings.ts";

const open = lazy(async () => ({
  ...openLake(),
  backups: openBackups(),
  warehouse: await openWarehouse(warehouseSettings()),
}));

/** Copies gold and the ledgers to the backup store in one snapshot. */
export const handler = createHandler(async () => await backUpWarehouse(await open()));
