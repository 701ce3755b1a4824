import type { DeltaTable } from "../delta/table.ts";
import type { ObjectStore, TransactionalWarehouse, Warehouse } from "../ports.ts";
import { summaryOf, type BackupSummary, inPages, readTable } from "./back-up-warehouse.ts";
import { goldHash } from "./gold-hash.ts";
import { listBackups, readManifest, type BackupManifest, type BackupTable } from "./manifest.ts";

export interface RestoreContext {
  /** As the owner. */
  warehouse: TransactionalWarehouse;
  backups: ObjectStore;
  silver: DeltaTable;
}

/**
 * Restores a backup, the newest proven one where none is named, into an empty warehouse: all of it or, where anything is
 * wrong, nothing. The pipeline then publishes what silver has changed since.
 */
export async function restoreBackup(
  { warehouse, backups, silver }: RestoreContext,
  { id }: { id?: string | undefined },
): Promise<BackupSummary> {
  const manifest = await chooseBackup(backups, id);
  await checkPositions(silver, manifest);
  await warehouse.transaction("write", async (within) => {
    await withoutTriggers(within, async () => {
      await checkEmpty(within);
      await loadTables({ warehouse: within, backups }, manifest, (table) => table);
    });
    for (const { name, value } of manifest.sequences) {
      await within.query("select setval($1::regclass, $2::bigint)", [name, value]);
    }
    const { hash } = await goldHash(within);
    if (hash !== manifest.goldHash) {
      throw new Error(`gold would have the hash ${hash}, and had ${manifest.goldHash} when it was backed up`);
    }
  });
  return summaryOf(manifest);
}

/** The backup of that id, or the newest proven one; throws where there is none. */
export async function chooseBackup(backups: ObjectStore, id: string | undefined): Promise<BackupManifest> {
  return await readManifest(backups, id ?? (await newestProven(backups)));
}

async function newestProven(backups: ObjectStore): Promise<string> {
  const proven = (await listBackups(backups)).find(({ isProven }) => isProven);
  if (proven !== undefined) return proven.id;
  throw new Error(
    "there is no backup that was proven: see ./pizza backup --list, and name one to restore it all the same",
  );
}

/** The ledgers hold versions of one Delta table: with another they would skip days, or never see them. */
async function checkPositions(silver: DeltaTable, { id, positions }: BackupManifest): Promise<void> {
  const { silverTable, silverVersion } = positions;
  const { version, metadata } = await silver.snapshot();
  const advice = "gold is made from this lake by ./pizza run silver_to_gold, without a backup";
  if (silverVersion >= 0 && metadata?.id !== silverTable) {
    throw new Error(`backup ${id} is of another lake, its silver has the id ${silverTable}: ${advice}`);
  }
  if (silverVersion > version) {
    throw new Error(`backup ${id} shows silver version ${silverVersion}, the lake ends at ${version}: ${advice}`);
  }
}

/** What comes back is no change: no trigger notes it. Whoever publishes waits, and then finds what was restored. */
async function withoutTriggers(within: Warehouse, load: () => Promise<void>): Promise<void> {
  const tables = await within.query<{ table_name: string }>("select table_name from ops.backup_tables()");
  const all = async (what: "disable" | "enable") => {
    for (const { table_name: name } of tables) await within.query(`alter table ${name} ${what} trigger user`);
  };
  await all("disable");
  await load();
  await all("enable");
}

/** Of the ledgers only those of publishing count: runs may be written down, and rules come with the migrations. */
const mustBeEmpty = /^(gold|facts)\.|^ops\.(windows|corrections)$/;

async function checkEmpty(within: Warehouse): Promise<void> {
  const contents = await within.query<{ table_name: string; row_count: string }>(
    "select table_name, row_count from ops.backup_contents() where row_count > 0",
  );
  const full = contents.find(({ table_name: name }) => mustBeEmpty.test(name));
  if (full !== undefined) {
    throw new Error(
      `the warehouse is not empty, ${full.table_name} has ${full.row_count} rows: ` +
        "a backup is restored into an empty one, see docs/operations.md",
    );
  }
  for (const { table_name: name } of contents) await within.query(`delete from ${name}`);
}

/**
 * Writes every table of a backup into its target, and then lets the warehouse say that each holds what the manifest
 * says. `targetOf` gives the place of a table by its name. For a transaction: what it throws after has written nothing.
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
        `the backup is damaged: ${table.name} holds other rows than were backed up (${found?.row_count} for ${table.rows})`,
      );
    }
  }
}

/** A warehouse of a newer form takes an older backup; the other way round something would be lost. */
async function checkForm(
  warehouse: Warehouse,
  { tables, migrations }: { tables: readonly BackupTable[]; migrations: readonly string[] },
): Promise<void> {
  const applied = await warehouse.query<{ name: string }>("select name from ops.migrations");
  const known = new Set(applied.map(({ name }) => name));
  const missing = migrations.filter((name) => !known.has(name));
  if (missing.length > 0) {
    throw new Error(`the backup is of a newer program, this one lacks ${missing.join(", ")}: update the program first`);
  }
  const here = await warehouse.query<{ table_name: string; columns: string[] }>(
    "select table_name, ops.backup_columns(table_name::regclass) as columns from ops.backup_tables()",
  );
  const columnsHere = new Map(here.map((row) => [row.table_name, new Set(row.columns)]));
  for (const { name, columns } of tables) {
    const lost = columns.filter((column) => !columnsHere.get(name)?.has(column));
    if (lost.length === 0) continue;
    throw new Error(`the backup has ${name} with ${lost.join(", ")}, which this program no longer knows`);
  }
}
