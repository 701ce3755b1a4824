import type { Warehouse } from "../lambdas/ports.ts";
import type { Deployment } from "./deployment.ts";

type Opened = Warehouse & { close(): Promise<void> };

interface Login {
  secretArn: string | undefined;
  readOnly: boolean;
}

/**
 * Gold, to be read only: over the Data API as the reader; where there is no Aurora, over PostgreSQL's own wire with the
 * environment's one login.
 */
export const openReader = (deployment: Deployment): Promise<Opened> =>
  open(deployment, { secretArn: deployment.readerSecretArn, readOnly: true });

/** Gold as the role that publishes: for whoever may read its secret. */
export const openWriter = (deployment: Deployment): Promise<Opened> =>
  open(deployment, { secretArn: deployment.writerSecretArn, readOnly: false });

async function open(
  { databaseUrl, clusterArn, databaseName, environment }: Deployment,
  { secretArn, readOnly }: Login,
): Promise<Opened> {
  if (databaseUrl !== undefined) {
    const { openPostgresWarehouse } = await import("../lambdas/adapters/postgres-warehouse.ts");
    return openPostgresWarehouse({ connectionString: databaseUrl, readOnly });
  }
  if (clusterArn === undefined || secretArn === undefined || databaseName === undefined) {
    throw new Error(`environment ${environment} has no warehouse among its outputs: deploy it again`);
  }
  const { openDataApiWarehouse } = await import("../lambdas/adapters/data-api-warehouse.ts");
  const warehouse = openDataApiWarehouse({ clusterArn, secretArn, database: databaseName });
  return { query: (sql, parameters) => warehouse.query(sql, parameters), close: async () => {} };
}
