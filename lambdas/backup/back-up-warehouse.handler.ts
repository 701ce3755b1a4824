import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openBackups } from "../handlers/open-backups.ts";
import { openLake } from "../handlers/open-lake.ts";
import { openWarehouse } from "../handlers/open-warehouse.ts";
import { backUpWarehouse } from "./back-up-warehouse.ts";

const open = once(async () => ({ ...openLake(), backups: openBackups(), warehouse: await openWarehouse() }));

/** Copies gold and the ledgers to the backup store as of one moment. */
export const handler = createHandler(async () => await backUpWarehouse(await open()));
