import type { Warehouse } from "../lambdas/ports.ts";
import type { Deployment } from "./deployment.ts";

/** Gold as a role that may only read: over the Data API, or over PostgreSQL's own wire where there is no Aurora. */
export async function openReader({
  databaseUrl,
  clusterArn,
  readerSecretArn,
  databaseName,
  environment,
}: Deployment): Promise<Warehouse & { close(): Promise<void> }> {
  if (databaseUrl !== undefined) {
    const { openPostgresWarehouse } = await import("../lambdas/adapters/postgres-warehouse.ts");
    return openPostgresWarehouse({ connectionString: databaseUrl });
  }
  if (clusterArn === undefined || readerSecretArn === undefined || databaseName === undefined) {
    throw new Error(`environment ${environment} has no warehouse among its outputs: deploy it again`);
  }
  const { openDataApiWarehouse } = await import("../lambdas/adapters/data-api-warehouse.ts");
  const warehouse = openDataApiWarehouse({ clusterArn, secretArn: readerSecretArn, database: databaseName });
  return { query: (sql, parameters) => warehouse.query(sql, parameters), close: async () => {} };
}
