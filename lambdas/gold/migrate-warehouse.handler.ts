import { loadMigrations } from "../adapters/project-files.ts";
import { openSecretVersions } from "../adapters/secret-versions.ts";
import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openWarehouse } from "../handlers/open-warehouse.ts";
import { setting } from "../handlers/settings.ts";
import { migrateWarehouse } from "./migrate-warehouse.ts";

const open = once(async () => ({
  warehouse: await openWarehouse({ continueAfterTimeout: true }),
  migrations: loadMigrations(),
  secrets: openSecretVersions(),
  // A PostgreSQL that was there before keeps its own logins.
  loginSecrets: setting("WAREHOUSE") === "postgres" ? [] : [setting("READER_SECRET_ARN"), setting("WRITER_SECRET_ARN")],
}));

/** Brings the database to the newest form on every deployment; an error rolls the deployment back. */
export const handler = createHandler(async () => await migrateWarehouse(await open()));
