import { goldHash } from "../gold/gold-hash.ts";
import type { DeltaTable } from "../lake/delta-table.ts";
import type { ObjectStore, TransactionalWarehouse, Warehouse } from "../ports.ts";
import { summaryOf, type BackupSummary } from "./back-up-warehouse.ts";
import { loadTables } from "./load-tables.ts";
import { listBackups, readManifest, type BackupManifest } from "./manifest.ts";

export interface RestorePlace {
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
  { warehouse, backups, silver }: RestorePlace,
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
    "there is no backup that was proven: see pizza backup --list, and name one to restore it all the same",
  );
}

/** The ledgers hold versions of one Delta table: with another they would skip days, or never see them. */
async function checkPositions(silver: DeltaTable, { id, positions }: BackupManifest): Promise<void> {
  const { silverTable, silverVersion } = positions;
  const { version, metadata } = await silver.snapshot();
  const advice = "gold is made from this lake by pizza run silver_to_gold, without a backup";
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
