import { openPostgresWarehouse } from "../../adapters/postgres-warehouse.ts";
import { loadMigrations } from "../../adapters/project-files.ts";
import { migrate, publishCatalog, type CatalogFiles } from "../../pipeline/gold/migrate.ts";
import type { TransactionalWarehouse, Warehouse } from "../../pipeline/ports.ts";
import type { Log } from "./event-log.ts";
import { startPostgres, type LocalPostgres } from "./postgres.ts";

/** Warehouses of the local pipeline that restart PostgreSQL if it was killed. */
export interface ReconnectingWarehouses {
  /** A role's warehouse: a query waits while the server restarts, and fails with the server's error if it cannot. */
  as(role: "writer" | "reader" | "adHoc"): Warehouse;
  /** A role's warehouse with transactions; one whose server dies fails and is not retried. */
  transactional(role: "owner" | "writer"): TransactionalWarehouse;
  /** The warehouses of the running server, restarted if necessary. */
  current(): Promise<Warehouses>;
  close(): Promise<void>;
}

/**
 * Opens the warehouses, and reopens them when their server is gone. An interrupted query is retried although it may
 * have been committed, as over the RDS Data API: every statement of this project is idempotent.
 */
export function reconnectingWarehouses(options: Parameters<typeof openWarehouses>[0]): ReconnectingWarehouses {
  let opening = openWarehouses(options);
  opening.catch(() => {});
  let isClosed = false;

  /** The first caller that misses the server restarts it; concurrent callers wait for the same restart. */
  async function replace(missing: Promise<Warehouses>): Promise<void> {
    if (opening !== missing || isClosed) return;
    const gone = await missing;
    if (gone.postgres.isRunning() || opening !== missing) return;
    opening = restart(gone);
    opening.catch(() => (opening = missing));
  }

  async function restart(gone: Warehouses): Promise<Warehouses> {
    options.onLog(`PostgreSQL has exited (process ${gone.postgres.pid}): starting it again`, {
      level: "warning",
      event: "postgres_restarted",
    });
    // On a repeated restart the connections are closed already.
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
        const used = opening;
        const { [role]: warehouse } = await used;
        try {
          return await warehouse.query(sql, parameters);
        } catch (error) {
          await replace(used);
          if (opening === used) throw error;
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

/** The migrated PostgreSQL of the local pipeline and a warehouse for each role. */
interface Warehouses {
  postgres: LocalPostgres;
  owner: TransactionalWarehouse;
  writer: TransactionalWarehouse;
  reader: Warehouse;
  /**
   * The reader with a new connection per query: settings and transactions of ad-hoc SQL must not affect other queries.
   */
  adHoc: Warehouse;
  /** Closes the connections and stops the server. */
  close(): Promise<void>;
}

/** Starts PostgreSQL in `dir`, migrates it and publishes the catalog, if given; stops it again if that fails. */
export async function openWarehouses({
  dir,
  port,
  catalog,
  onLog,
}: {
  dir: string;
  port: number | undefined;
  catalog?: CatalogFiles | undefined;
  onLog: Log;
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
    if (catalog !== undefined) await publishCatalog(writer!, catalog);
    return { postgres, owner: owner!, writer: writer!, reader: reader!, adHoc, close };
  } catch (error) {
    await close();
    throw error;
  }
}
