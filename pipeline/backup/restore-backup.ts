import { publishCatalog, type CatalogFiles } from "../gold/migrate.ts";
import type { DeltaTable } from "../delta/table.ts";
import type { ObjectStore, TransactionalWarehouse, Warehouse } from "../ports.ts";
import { summaryOf, type BackupSummary, inPages, readTable } from "./back-up-warehouse.ts";
import { goldHash, listBackups, readManifest, type BackupManifest, type BackupTable } from "./manifest.ts";

/**
 * The tables that must be empty, except those of the catalog, which a deployment fills. Other ledgers may have rows: runs
 * are recorded, and rules come with the migrations.
 */
const mustBeEmpty = /^(gold|facts)\.|^ops\.(windows|corrections)$/;

/** The warehouse to restore into, and what it must fit. */
export interface RestoreContext {
  /** Connected as the owner. */
  warehouse: TransactionalWarehouse;
  backups: ObjectStore;
  silver: DeltaTable;
  /** The menu, the stores and the ingredients that gold shows from now on. */
  catalog: CatalogFiles;
}

/**
 * Restores a backup, by default the newest verified one, into an empty warehouse, atomically. The pipeline then
 * publishes what silver has changed since. Throws, and changes nothing, if the backup is damaged, does not fit the lake
 * or the program, or if the warehouse is not empty.
 */
export async function restoreBackup(
  { warehouse, backups, silver, catalog }: RestoreContext,
  { id }: { id?: string | undefined },
): Promise<BackupSummary> {
  const manifest = await chooseBackup(backups, id);
  await checkPositions(silver, manifest);
  await warehouse.transaction("write", async (within) => {
    await withoutTriggers(within, async () => {
      await checkEmpty(within);
      await loadTables({ warehouse: within, backups }, manifest, (table) => table);
    });
    await within.query("select ops.adopt_backup($1::text[])::text", [manifest.tables.map(({ name }) => name)]);
    for (const { name, value } of manifest.sequences) {
      await within.query("select setval($1::regclass, $2::bigint)", [name, value]);
    }
    const { hash } = await goldHash(within);
    // Gold of an earlier release may lack columns; loadTables has compared the columns that it has.
    if ((await hasSameColumns(within, manifest)) && hash !== manifest.goldHash) {
      throw new Error(`restored gold has the hash ${hash}, but had ${manifest.goldHash} when it was backed up`);
    }
    await publishCatalog(within, catalog);
  });
  return summaryOf(manifest);
}

/** Returns the backup with that id, or the newest verified one; throws if there is none. */
export async function chooseBackup(backups: ObjectStore, id: string | undefined): Promise<BackupManifest> {
  return await readManifest(backups, id ?? (await newestProven(backups)));
}

async function newestProven(backups: ObjectStore): Promise<string> {
  const proven = (await listBackups(backups)).find(({ isProven }) => isProven);
  if (proven !== undefined) return proven.id;
  throw new Error("no backup has been verified: run ./pizza backup --list, and name a backup to restore it anyway");
}

/** The ledgers refer to versions of one Delta table: with another table, publishing would skip days. */
async function checkPositions(silver: DeltaTable, { id, positions }: BackupManifest): Promise<void> {
  const { silverTable, silverVersion } = positions;
  const { version, metadata } = await silver.snapshot();
  const advice = "./pizza run silver_to_gold creates gold from this lake without a backup";
  if (silverVersion >= 0 && metadata?.id !== silverTable) {
    throw new Error(`backup ${id} belongs to another lake, whose silver has the id ${silverTable}: ${advice}`);
  }
  if (silverVersion > version) {
    throw new Error(`backup ${id} shows silver version ${silverVersion}, but the lake ends at ${version}: ${advice}`);
  }
}

/**
 * Runs `load` with triggers disabled, because restored rows are not corrections. Disabling them locks the tables, so
 * that concurrent publishes wait and then see the restored rows.
 */
async function withoutTriggers(within: Warehouse, load: () => Promise<void>): Promise<void> {
  const tables = await within.query<{ table_name: string }>("select table_name from ops.backup_tables()");
  const all = async (what: "disable" | "enable") => {
    for (const { table_name: name } of tables) await within.query(`alter table ${name} ${what} trigger user`);
  };
  await all("disable");
  await load();
  await all("enable");
}

async function checkEmpty(within: Warehouse): Promise<void> {
  const contents = await within.query<{ table_name: string; row_count: string; is_catalog: boolean }>(
    `select
         table_name,
         row_count,
         table_name in (select 'facts.catalog' union select name from definitions.gold_tables where reach = 'catalog')
           as is_catalog
     from ops.backup_contents() where row_count > 0`,
  );
  const full = contents.find(({ table_name: name, is_catalog: isCatalog }) => mustBeEmpty.test(name) && !isCatalog);
  if (full !== undefined) {
    throw new Error(
      `the warehouse is not empty, ${full.table_name} has ${full.row_count} rows: ` +
        "restore the backup into an empty warehouse, see docs/operations.md",
    );
  }
  for (const { table_name: name } of contents) await within.query(`delete from ${name}`);
}

/**
 * Loads every table of a backup into its target, which `targetOf` returns for its name, and then compares the target's
 * hash with the manifest. Call it in a transaction: if it throws, roll back.
 */
export async function loadTables(
  { warehouse, backups }: { warehouse: Warehouse; backups: ObjectStore },
  { tables, migrations }: BackupManifest,
  targetOf: (table: string) => string,
): Promise<void> {
  await checkForm(warehouse, { tables, migrations });
  for (const table of tables) {
    const target = targetOf(table.name);
    for await (const lines of readTable(backups, table)) {
      for (const page of inPages(lines)) {
        await warehouse.query("select ops.restore_rows($1::regclass, $2::jsonb)", [target, `[${page.join(",")}]`]);
      }
    }
    const [found] = await warehouse.query<{ row_count: string; hash: string }>(
      "select row_count, hash from ops.table_hash($1::regclass, $2::text[])",
      [target, table.columns],
    );
    if (Number(found?.row_count) !== table.rows || found?.hash !== table.hash) {
      throw new Error(
        `the backup is damaged: rows of ${table.name} differ from those that were backed up (${found?.row_count} for ${table.rows})`,
      );
    }
  }
}

/** Whether gold has the columns here that it had in the backup. */
async function hasSameColumns(warehouse: Warehouse, { tables }: BackupManifest): Promise<boolean> {
  const here = await columnsHere(warehouse);
  const gold = tables.filter(({ name }) => name.startsWith("gold."));
  return gold.every(({ name, columns }) => columns.length === here.get(name)?.size);
}

/** Checks the schema: a newer warehouse accepts an older backup; an older one would lose data. */
async function checkForm(
  warehouse: Warehouse,
  { tables, migrations }: { tables: readonly BackupTable[]; migrations: readonly string[] },
): Promise<void> {
  const applied = await warehouse.query<{ name: string }>("select name from ops.migrations");
  const known = new Set(applied.map(({ name }) => name));
  const missing = migrations.filter((name) => !known.has(name));
  if (missing.length > 0) {
    throw new Error(`the backup was made by a newer release, this one lacks ${missing.join(", ")}: update it first`);
  }
  const here = await columnsHere(warehouse);
  for (const { name, columns } of tables) {
    const lost = columns.filter((column) => !here.get(name)?.has(column));
    if (lost.length === 0) continue;
    throw new Error(
      `the backup has ${name} with ${lost.join(", ")}, which this release no longer has: use an older one`,
    );
  }
}

async function columnsHere(warehouse: Warehouse): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const here = await warehouse.query<{ table_name: string; columns: string[] }>(
    "select table_name, ops.backup_columns(table_name::regclass) as columns from ops.backup_tables()",
  );
  return new Map(here.map((row) => [row.table_name, new Set(row.columns)]));
}
