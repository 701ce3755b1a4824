import type { TransactionalWarehouse } from "../ports.ts";
import { setting } from "./settings.ts";

/**
 * The warehouse that the settings name; only its own client is loaded. With `continueAfterTimeout`, a statement that takes
 * longer than one call to the Data API goes on in the database.
 */
export async function openWarehouse({ continueAfterTimeout = false } = {}): Promise<TransactionalWarehouse> {
  if (setting("WAREHOUSE") === "postgres") {
    const { openPostgresWarehouse } = await import("../adapters/postgres-warehouse.ts");
    return openPostgresWarehouse({ connectionString: setting("DATABASE_URL") });
  }
  const { openDataApiWarehouse } = await import("../adapters/data-api-warehouse.ts");
  return openDataApiWarehouse({
    clusterArn: setting("CLUSTER_ARN"),
    secretArn: setting("DATABASE_SECRET_ARN"),
    database: setting("DATABASE_NAME"),
    continueAfterTimeout,
  });
}
