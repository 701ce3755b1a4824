import type { TransactionalWarehouse } from "../pipeline/ports.ts";

/** The warehouse: PostgreSQL over its own protocol, or Aurora over the RDS Data API. */
export type WarehouseSettings =
  | { kind: "postgres"; connectionString: string; readOnly?: boolean }
  | { kind: "data-api"; clusterArn: string; secretArn: string; database: string };

/**
 * Opens the warehouse; loads only the client of its kind. With `continueAfterTimeout`, a statement that takes longer
 * than a Data API call continues in the database.
 */
export async function openWarehouse(
  settings: WarehouseSettings,
  { continueAfterTimeout = false } = {},
): Promise<TransactionalWarehouse & { close(): Promise<void> }> {
  if (settings.kind === "postgres") {
    const { openPostgresWarehouse } = await import("./postgres-warehouse.ts");
    const { connectionString, readOnly = false } = settings;
    return openPostgresWarehouse({ connectionString, readOnly });
  }
  const { openDataApiWarehouse } = await import("./data-api.ts");
  return { ...openDataApiWarehouse({ ...settings, continueAfterTimeout }), close: async () => {} };
}
