import { openPostgresWarehouse } from "../lambdas/adapters/postgres-warehouse.ts";
import { loadMigrations } from "../lambdas/adapters/project-files.ts";
import { migrate } from "../lambdas/gold/migrate.ts";
import type { TransactionalWarehouse, Warehouse } from "../lambdas/ports.ts";
import { startPostgres, type EmbeddedPostgres } from "./postgres.ts";

/** The home's PostgreSQL, brought to the newest form, and a warehouse for each role. */
export interface Warehouses {
  postgres: EmbeddedPostgres;
  owner: TransactionalWarehouse;
  writer: TransactionalWarehouse;
  reader: Warehouse;
  /** The reader, with a connection for each query: what people's SQL sets, or leaves open, is no other query's. */
  people: Warehouse;
  /** Closes the connections and stops the server. */
  close(): Promise<void>;
}

/** Starts PostgreSQL in `dir` and migrates it; leaves nothing running where that fails. */
export async function openWarehouses({
  dir,
  port,
  onLog,
}: {
  dir: string;
  port: number | undefined;
  onLog: (line: string) => void;
}): Promise<Warehouses> {
  const postgres = await startPostgres({ dir, ...(port && { port }), onLog });
  const [owner, writer, reader] = (["owner", "writer", "reader"] as const).map((role) =>
    openPostgresWarehouse({ connectionString: postgres.connectionString(role) }),
  );
  const people: Warehouse = {
    async query(sql, parameters) {
      const connectionString = postgres.connectionString("reader");
      const warehouse = openPostgresWarehouse({ connectionString, readOnly: true, max: 1 });
      try {
        return await warehouse.query(sql, parameters);
      } finally {
        await warehouse.close();
      }
    },
  };
  const close = async () => {
    await Promise.all([owner!.close(), writer!.close(), reader!.close()]);
    await postgres.stop();
  };
  try {
    await migrate({ warehouse: owner!, migrations: loadMigrations() });
    return { postgres, owner: owner!, writer: writer!, reader: reader!, people, close };
  } catch (error) {
    await close();
    throw error;
  }
}
