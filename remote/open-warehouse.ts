import type { Warehouse } from "../lambdas/ports.ts";
import type { Deployment } from "./deployment.ts";

type Opened = Warehouse & { close(): Promise<void> };

/** Gold as a role that may only read: over the Data API, or over PostgreSQL's own wire where there is no Aurora. */
export const openReader = (deployment: Deployment): Promise<Opened> => open(deployment, deployment.readerSecretArn);

/** Gold as the role that publishes: for whoever may read its secret. */
export const openWriter = (deployment: Deployment): Promise<Opened> => open(deployment, deployment.writerSecretArn);

async function open(
  { databaseUrl, clusterArn, databaseName, environment }: Deployment,
  secretArn: string | undefined,
): Promise<Opened> {
  if (databaseUrl !== undefined) {
    const { openPostgresWarehouse } = await import("../lambdas/adapters/postgres-warehouse.ts");
    return openPostgresWarehouse({ connectionString: databaseUrl });
  }
  if (clusterArn === undefined || secretArn === undefined || databaseName === undefined) {
    throw new Error(`environment ${environment} has no warehouse among its outputs: deploy it again`);
  }
  const { openDataApiWarehouse } = await import("../lambdas/adapters/data-api-warehouse.ts");
  const warehouse = openDataApiWarehouse({ clusterArn, secretArn, database: databaseName });
  return { query: (sql, parameters) => warehouse.query(sql, parameters), close: async () => {} };
}
