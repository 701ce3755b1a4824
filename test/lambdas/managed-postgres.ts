import { Client } from "pg";
import { startPostgres, type LocalPostgres } from "../../targets/local/postgres.ts";
import { connectionString } from "../../targets/local/postgres-credentials.ts";
import { preparePostgres } from "../support/prepared-postgres.ts";

export interface ManagedPostgres extends LocalPostgres {
  /** Runs a statement as PostgreSQL's superuser. */
  asAdmin(sql: string): Promise<void>;
}

/**
 * A PostgreSQL like a managed server: the owner can create roles but is not a superuser, and the pipeline's two roles
 * cannot log in yet.
 */
export async function startManagedPostgres(dir: string): Promise<ManagedPostgres> {
  await preparePostgres(dir, "database");
  const postgres = await startPostgres({ dir });
  async function asAdmin(sql: string): Promise<void> {
    const client = new Client({ connectionString: connectionString(postgres.credentials, "admin") });
    await client.connect();
    await client.query(sql);
    await client.end();
  }
  await asAdmin("alter role pizza_owner createrole");
  await asAdmin("grant pizza_reader, pizza_writer to pizza_owner with admin option");
  await asAdmin("alter role pizza_reader nologin");
  await asAdmin("alter role pizza_writer nologin");
  return { ...postgres, asAdmin };
}

/** The connection string of a role with a password. */
export function addressOf({ credentials }: LocalPostgres, user: string, password: string): string {
  const { host, port, database } = credentials;
  return `postgresql://${user}:${password}@${host}:${port}/${database}`;
}
