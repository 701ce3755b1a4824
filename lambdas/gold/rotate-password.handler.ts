import { openSecretVersions } from "../adapters/secret-versions.ts";
import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openWarehouse } from "../handlers/open-warehouse.ts";
import { rotatePassword, type RotationStep } from "./rotate-password.ts";

const open = once(async () => ({ secrets: openSecretVersions(), warehouse: await openWarehouse() }));

/** Takes one step of the rotation of a role's password. */
export const handler = createHandler(async (step: RotationStep) => await rotatePassword(await open(), step));
