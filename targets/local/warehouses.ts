import { openPostgresWarehouse } from "../../adapters/postgres-warehouse.ts";
import { loadMigrations } from "../../adapters/project-files.ts";
import { migrate } from "../../pipeline/gold/migrate.ts";
import type { TransactionalWarehouse, Warehouse } from "../../pipeline/ports.ts";
import { startPostgres, type LocalPostgres } from "./postgres.ts";

/** The home's warehouses over a PostgreSQL that is started again where somebody killed it. */
export interface ReconnectingWarehouses {
  /** One role's warehouse: a query waits while the server starts, and fails with the server's error where it cannot. */
  as(role: "writer" | "reader" | "adHoc"): Warehouse;
  /** The same for transactions; one whose server dies fails, and is not made again. */
  transactional(role: "owner" | "writer"): TransactionalWarehouse;
  /** The warehouses of a server that runs now. */
  current(): Promise<Warehouses>;
  close(): Promise<void>;
}

/**
 * Opens the warehouses, and opens them anew when their server is gone. A query that met its end is made again: it may have
 * gone through before, as over the RDS Data API, and every statement here bears to run twice.
 */
export function reconnectingWarehouses(options: Parameters<typeof openWarehouses>[0]): ReconnectingWarehouses {
  let opening = openWarehouses(options);
  opening.catch(() => {});
  let isClosed = false;

  /** The first of those who miss the server starts it; the others wait for the same. */
  async function replace(missing: Promise<Warehouses>): Promise<void> {
    if (opening !== missing || isClosed) return;
    const gone = await missing;
    if (gone.postgres.isRunning() || opening !== missing) return;
    opening = restart(gone);
    opening.catch(() => (opening = missing));
  }

  async function restart(gone: Warehouses): Promise<Warehouses> {
    options.onLog(`PostgreSQL is gone (process ${gone.postgres.pid}): starting it again`);
    // A second try finds them closed.
    await gone.close().catch(() => {});
    return await openWarehouses(options);
  }

  async function current(): Promise<Warehouses> {
    await replace(opening);
    return await opening;
  }

  return {
    as: (role) => ({
      async query(sql, parameters) {
        const asked = opening;
        const { [role]: warehouse } = await asked;
        try {
          return await warehouse.query(sql, parameters);
        } catch (error) {
          await replace(asked);
          if (opening === asked) throw error;
          return await (await opening)[role].query(sql, parameters);
        }
      },
    }),
    transactional: (role) => ({
      query: async (sql, parameters) => await (await current())[role].query(sql, parameters),
      transaction: async (kind, use) => await (await current())[role].transaction(kind, use),
    }),
    current,
    async close() {
      isClosed = true;
      await (await opening.catch(() => undefined))?.close();
    },
  };
}

/** The home's PostgreSQL, brought to the newest form, and a warehouse for each role. */
interface Warehouses {
  postgres: LocalPostgres;
  owner: TransactionalWarehouse;
  writer: TransactionalWarehouse;
  reader: Warehouse;
  /** The reader, with a connection for each query: what people's SQL sets, or leaves open, is no other query's. */
  adHoc: Warehouse;
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
  const adHoc: Warehouse = {
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
    return { postgres, owner: owner!, writer: writer!, reader: reader!, adHoc, close };
  } catch (error) {
    await close();
    throw error;
  }
}
