import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDuckDbLake } from "../../../adapters/duckdb.ts";
import { openPostgresWarehouse } from "../../../adapters/postgres-warehouse.ts";
import { loadGoldSql, loadMigrations } from "../../../adapters/project-files.ts";
import { migrate } from "../../../pipeline/gold/migrate.ts";
import { publishCustomerDays, publishDays } from "../../../pipeline/gold/publish-windows.ts";
import { startPostgres, type PostgresRole } from "../../../targets/local/postgres.ts";
import { preparePostgres } from "../../support/prepared-postgres.ts";
import { writeSilver, type FixtureOrder } from "./silver-fixture.ts";

export const sql = loadGoldSql();

/** Opens a migrated PostgreSQL and an empty lake in a separate folder. */
export async function openGoldPipeline() {
  const dir = mkdtempSync(join(tmpdir(), "pizza-gold-"));
  const root = join(dir, "lake");
  await preparePostgres(join(dir, "postgres"), "migrated");
  const postgres = await startPostgres({ dir: join(dir, "postgres") });
  const connect = (role: PostgresRole, max = 4) =>
    openPostgresWarehouse({ connectionString: postgres.connectionString(role), max });
  const [owner, writer, reader] = [connect("owner"), connect("writer", 8), connect("reader")];
  // Tests need no durability.
  await owner.query("alter database pizza_sales set synchronous_commit = off");
  await migrate({ warehouse: owner, migrations: loadMigrations() });
  const emptied = await owner.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname in ('gold', 'facts', 'ops') and tablename <> 'migrations'`,
  );
  const lake = await openDuckDbLake({ root: dir });
  const gold = { lake, warehouse: writer, sql };

  /** Publishes days from a silver table with these orders: the given days, or all days of the orders. */
  async function publish(version: number, orders: readonly FixtureOrder[], windows = datesOf(orders)) {
    const table = await writeSilver(dir, version, orders);
    return {
      windows: await publishDays(gold, { table: table(windows), windows, silverVersion: version }),
      customers: () => publishCustomerDays(gold, { table: table(windows), windows, silverVersion: version }),
    };
  }

  return {
    dir,
    root,
    postgres,
    owner,
    writer,
    reader,
    lake,
    gold,
    publish,
    /** Truncates gold, the facts and the ledgers. */
    async empty() {
      await owner.query(
        `set local pizza.corrections = 'off'; ${emptied.map(({ name }) => `delete from ${name}`).join("; ")}`,
      );
    },
    async close() {
      await Promise.all([owner.close(), writer.close(), reader.close()]);
      await lake.close();
      await postgres.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type GoldPipeline = Awaited<ReturnType<typeof openGoldPipeline>>;

/** Returns the days of some orders, in order. */
export function datesOf(orders: readonly FixtureOrder[]): string[] {
  return [...new Set(orders.map(({ at }) => at.slice(0, 10)))].toSorted();
}
