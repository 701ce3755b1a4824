import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openBackups } from "../handlers/open-backups.ts";
import { openWarehouse } from "../handlers/open-warehouse.ts";
import { proveBackup } from "./prove-backup.ts";

const open = once(async () => ({ backups: openBackups(), warehouse: await openWarehouse(), clock: Date.now }));

/** Restores a backup on trial, and lets old ones go. */
export const handler = createHandler(
  async (input: { id: string; keepDays: number }) => await proveBackup(await open(), input),
);
