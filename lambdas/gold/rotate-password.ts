import { openSecretVersions } from "../../adapters/secrets.ts";
import { openWarehouse } from "../../adapters/warehouse.ts";
import { rotatePassword, type RotationStep } from "../../pipeline/gold/database-passwords.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { warehouseSettings } from "../runtime/settings.ts";

const open = lazy(async () => ({ secrets: openSecretVersions(), warehouse: await openWarehouse(warehouseSettings()) }));

/** Runs one step of a Secrets Manager rotation of a role's password. */
export const handler = createHandler(async (step: RotationStep) => await rotatePassword(await open(), step));
