import type { ObjectStore, Warehouse } from "../ports.ts";
import type { BackupManifest, BackupTable } from "./manifest.ts";
import { inPages, readTable } from "./table-rows.ts";

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
