import { loadMigrations, readCatalogFiles } from "../../adapters/project-files.ts";
import { openSecretVersions } from "../../adapters/secrets.ts";
import { openWarehouse } from "../../adapters/warehouse.ts";
import { migrateWarehouse } from "../../pipeline/gold/migrate.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { setting, warehouseSettings } from "../runtime/settings.ts";

const open = lazy(async () => ({
  warehouse: await openWarehouse(warehouseSettings(), { continueAfterTimeout: true }),
  migrations: loadMigrations(),
  catalog: readCatalogFiles(),
  secrets: openSecretVersions(),
  // An existing PostgreSQL keeps its own logins.
  loginSecrets: setting("WAREHOUSE") === "postgres" ? [] : [setting("READER_SECRET_ARN"), setting("WRITER_SECRET_ARN")],
}));

/** Migrates the database and publishes menu, stores and ingredients on every deployment; an error rolls the deployment back. */
export const handler = createHandler(async () => await migrateWarehouse(await open()));
