import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgresWarehouse } from "../../adapters/postgres-warehouse.ts";
import { loadMigrations } from "../../adapters/project-files.ts";
import { migrate } from "../../pipeline/gold/migrate.ts";
import { startPostgres, type LocalPostgres } from "../../targets/local/postgres.ts";
import { preparePostgres } from "../support/prepared-postgres.ts";
import type { Laboratory } from "./history.ts";
import { openSimulatedLake } from "./lake.ts";

/** One PostgreSQL for all histories, without durability, and one database for each worker. */
export async function startLaboratoryServer(databases: number) {
  const dir = mkdtempSync(join(tmpdir(), "pizza-laboratory-"));
  await preparePostgres(join(dir, "postgres"), "migrated");
  const postgres = await startPostgres({ dir: join(dir, "postgres") });
  const owner = openPostgresWarehouse({ connectionString: postgres.connectionString("owner"), max: 1 });
  await migrate({ warehouse: owner, migrations: loadMigrations() });
  await owner.close();
  const admin = openPostgresWarehouse({ connectionString: adminOf(postgres), max: 1 });
  for (const setting of ["fsync", "synchronous_commit", "full_page_writes", "jit"])
    await admin.query(`alter system set ${setting} = off`);
  await admin.query("select pg_reload_conf()");
  const names = Array.from({ length: databases }, (_, n) => `simulation_${n}`);
  for (const name of names) {
    await admin.query(`create database ${name} template pizza_sales owner ${postgres.credentials.roles.owner.user}`);
  }
  await admin.close();
  const connect = (name: string) => ({
    writer: nameDatabase(postgres.connectionString("writer"), name),
    owner: nameDatabase(postgres.connectionString("owner"), name),
  });
  return {
    databases: names.map(connect),
    async stop() {
      await postgres.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The connection strings of one database, by role. */
export interface Database {
  writer: string;
  owner: string;
}

/** The environment of one worker's histories. */
export async function openLaboratory(database: Database): Promise<Laboratory & { close(): Promise<void> }> {
  const writer = openPostgresWarehouse({ connectionString: database.writer, max: 1 });
  const owner = openPostgresWarehouse({ connectionString: database.owner, max: 1 });
  const lake = await openSimulatedLake();
  const tables = await owner.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname in ('gold', 'facts', 'ops') and tablename <> 'migrations'`,
  );
  const emptying = `set local pizza.corrections = 'off'; ${tables.map(({ name }) => `delete from ${name}`).join("; ")}`;
  return {
    connection: writer,
    lake,
    hashes: new Map(),
    empty: async () => void (await owner.query(emptying)),
    async close() {
      lake.close();
      await Promise.all([writer.close(), owner.close()]);
    },
  };
}

/** Only the admin can create databases and change the server's settings. */
function adminOf(postgres: LocalPostgres): string {
  const url = new URL(nameDatabase(postgres.connectionString("owner"), "postgres"));
  const { user, password } = postgres.credentials.roles.admin;
  url.username = user;
  url.password = password;
  return url.href;
}

function nameDatabase(connectionString: string, name: string): string {
  const url = new URL(connectionString);
  url.pathname = `/${name}`;
  return url.href;
}
