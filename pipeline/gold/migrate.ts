import { createHash } from "node:crypto";
import type { Pizza, Store } from "../domain/catalog.ts";
import type { Warehouse } from "../ports.ts";
import { type SecretVersions, loginOf, setPassword } from "./database-passwords.ts";
import { errorCode, errorMessage } from "../domain/errors.ts";

/** One file of `sql/migrations/`. Migrations are applied in the order of their names. */
interface Migration {
  name: string;
  sql: string;
}

// A database function executes a whole file, so that one call is one statement and one transaction. This works with
// both pg and the RDS Data API, and no code has to split SQL.
const prepare = `
do $prepare$
begin
  perform set_config('lock_timeout', '2min', true);
  create schema if not exists ops;
  create table if not exists ops.migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
  );
  lock table ops.migrations in share row exclusive mode;
  comment on table ops.migrations is 'Changes of this database that were made, one row per file';
  comment on column ops.migrations.name is 'File in sql/migrations/';
  comment on column ops.migrations.checksum is 'SHA-256 of the file: it must never change again';
  comment on column ops.migrations.applied_at is 'When it was applied';
  create or replace function ops.apply_migration(migration_name text, migration_checksum text, content text)
  returns boolean language plpgsql as $apply$
  begin
    perform set_config('lock_timeout', '2min', true);
    lock table ops.migrations in share row exclusive mode;
    if exists (select from ops.migrations where name = migration_name) then
      return false;
    end if;
    execute content;
    insert into ops.migrations (name, checksum) values (migration_name, migration_checksum);
    return true;
  end $apply$;
  revoke execute on function ops.apply_migration from public;
end $prepare$`;

/**
 * Applies the pending migrations and returns their names. Idempotent. Runs as the owner; concurrent runs wait for each
 * other. A database that is newer than the files stays unchanged. Throws if an applied file was changed, if an older
 * applied file is missing, or if a new file sorts before an applied one.
 */
export async function migrate({
  warehouse,
  migrations,
}: {
  warehouse: Warehouse;
  migrations: readonly Migration[];
}): Promise<string[]> {
  const files = migrations
    .map((file) => ({ ...file, checksum: createHash("sha256").update(file.sql).digest("hex") }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const ledger = await readLedger(warehouse);
  checkLedger(ledger, files);
  const pending = files.slice(ledger.size);
  // Before the first migration there is nothing to lock: of two concurrent runs one may find what the other has just made.
  const make = () => unlessHeldUp(warehouse, () => warehouse.query(prepare));
  if (pending.length > 0) await make().catch(make);
  const applied = [];
  for (const { name, checksum, sql } of pending) {
    if (await apply(warehouse, name, checksum, sql)) applied.push(name);
  }
  return applied;
}

async function readLedger(warehouse: Warehouse): Promise<Map<string, string>> {
  const [known] = await warehouse.query("select to_regclass('ops.migrations')::text as name");
  if (known?.["name"] == null) return new Map();
  const rows = await warehouse.query<{ name: string; checksum: string }>("select name, checksum from ops.migrations");
  return new Map(rows.map(({ name, checksum }) => [name, checksum]));
}

function checkLedger(ledger: Map<string, string>, files: readonly (Migration & { checksum: string })[]): void {
  const names = new Set(files.map(({ name }) => name));
  const newest = files.at(-1)?.name ?? "";
  for (const name of ledger.keys()) {
    // A rollback runs an older release, which works with a newer database too.
    if (!names.has(name) && name < newest) {
      throw new Error(`migration ${name} was applied to this database but its file is missing: restore the file`);
    }
  }
  for (const [index, { name, checksum }] of files.entries()) {
    const applied = ledger.get(name);
    if (applied === undefined && index < ledger.size) {
      throw new Error(`migration ${name} sorts before an applied one: give it a number after the last`);
    }
    if (applied !== undefined && applied !== checksum) {
      throw new Error(`migration ${name} was changed after it was applied: restore it and write a new migration`);
    }
  }
}

async function apply(warehouse: Warehouse, name: string, checksum: string, sql: string): Promise<boolean> {
  try {
    const parameters = [name, checksum, sql];
    const [row] = await unlessHeldUp(warehouse, () =>
      warehouse.query("select ops.apply_migration($1, $2, $3) as applied", parameters),
    );
    return row?.["applied"] === true;
  } catch (cause) {
    throw new Error(`migration ${name} failed and changed nothing: ${errorMessage(cause)}`, { cause });
  }
}

/** Runs a statement; if it waited in vain for a lock, throws an error that names the sessions that hold one. */
async function unlessHeldUp<Result>(warehouse: Warehouse, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (cause) {
    // The RDS Data API states the code in the message.
    if (errorCode(cause) !== "55P03" && !errorMessage(cause).includes("SQLState: 55P03")) throw cause;
    const sessions = await warehouse.query<{ session: string }>(holdersSql);
    const names = sessions.map(({ session }) => session).join("; ") || "a session that has ended since";
    throw new Error(
      `another session has held a table for two minutes (${names}): ` +
        "end its transaction, or end it with pg_terminate_backend, and try again",
      { cause },
    );
  }
}

const holdersSql = `
  select distinct
    format('process %s of %s, %s, holds %s', pid, usename, application_name, relation::regclass) as session
  from pg_locks join pg_stat_activity using (pid) join pg_class on pg_class.oid = relation
  where granted and pid <> pg_backend_pid() and relkind = 'r'
    and relnamespace::regnamespace::text in ('gold', 'facts', 'ops')
  order by 1`;

/** The files in `data/` that gold's dimensions are made of. */
export interface CatalogFiles {
  menu: readonly Pizza[];
  stores: readonly Store[];
  /** `ingredient-costs.json`: portions by size, costs in cents by ingredient, and ingredients by pizza type. */
  ingredients: {
    sizes: Record<string, { portion: number }>;
    ingredients: Record<string, number>;
    recipes: Record<string, string[]>;
  };
}

/** Publishes menu, stores and ingredients to gold. Idempotent; returns the number of rows of gold that changed. */
export async function publishCatalog(warehouse: Warehouse, catalog: CatalogFiles): Promise<number> {
  const [row] = await warehouse.query<{ changed: number }>("select ops.publish_catalog($1::jsonb) as changed", [
    JSON.stringify(catalog),
  ]);
  return row?.changed ?? 0;
}

/**
 * Applies the pending migrations, publishes the catalog, then sets each login role's password to the one in its secret. Idempotent. Returns
 * the applied migrations and the roles.
 */
export async function migrateWarehouse({
  warehouse,
  migrations,
  secrets,
  loginSecrets,
  catalog,
}: {
  warehouse: Warehouse;
  migrations: readonly Migration[];
  secrets: Pick<SecretVersions, "current">;
  loginSecrets: readonly string[];
  catalog: CatalogFiles;
}): Promise<{ applied: string[]; roles: string[] }> {
  const applied = await migrate({ warehouse, migrations });
  await publishCatalog(warehouse, catalog);
  const roles = [];
  for (const secret of loginSecrets) {
    const login = loginOf(secret, await secrets.current(secret));
    await setPassword(warehouse, login);
    roles.push(login.username);
  }
  return { applied, roles };
}
