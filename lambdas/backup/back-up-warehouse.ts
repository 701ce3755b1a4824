import type { DeltaTable } from "../lake/delta-table.ts";
import { goldHash } from "../gold/gold-hash.ts";
import type { Clock, ObjectStore, TransactionalWarehouse, Warehouse } from "../ports.ts";
import { backupId, manifestKey, type BackupManifest, type BackupPositions, type BackupTable } from "./manifest.ts";
import { writeTable } from "./table-rows.ts";

/** What making a backup works with. */
export interface BackupPlace {
  warehouse: TransactionalWarehouse;
  backups: ObjectStore;
  silver: DeltaTable;
  clock: Clock;
}

export interface BackupSummary {
  id: string;
  tables: number;
  rows: number;
  /** In the store. */
  bytes: number;
  goldHash: string;
  /** The newest version of silver that a day of gold shows; -1 for none. */
  silverVersion: number;
}

/**
 * Copies gold, its facts and the ledgers to the backup store as of one moment, while the pipeline goes on, and then the
 * manifest that makes it a backup. Each call makes one of its own.
 */
export async function backUpWarehouse(place: BackupPlace): Promise<BackupSummary> {
  const now = place.clock();
  const id = backupId(now);
  const { metadata } = await place.silver.snapshot();
  const manifest = await place.warehouse.transaction("snapshot", async (warehouse): Promise<BackupManifest> => ({
    format: 1,
    id,
    madeAt: new Date(now).toISOString(),
    goldHash: (await goldHash(warehouse)).hash,
    positions: await readPositions(warehouse, metadata?.id ?? null),
    migrations: await namesOf(warehouse, "select name from ops.migrations order by name"),
    sequences: await readSequences(warehouse),
    tables: await writeTables({ warehouse, backups: place.backups }, id),
  }));
  await place.backups.put(manifestKey(id), Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`), { ifAbsent: true });
  return summaryOf(manifest);
}

async function readPositions(warehouse: Warehouse, silverTable: string | null): Promise<BackupPositions> {
  const [row] = await warehouse.query<{ version: string; reported: string | null }>(
    `select
         coalesce(max(silver_version), -1) as version,
         (select value from ops.cursor where name = 'reported_until') as reported
     from ops.windows`,
  );
  return { silverTable, silverVersion: Number(row!.version), reportedUntil: row!.reported };
}

async function readSequences(warehouse: Warehouse): Promise<BackupManifest["sequences"]> {
  const rows = await warehouse.query<{ sequence_name: string; last_value: string }>(
    "select sequence_name, last_value from ops.backup_sequences() where last_value is not null",
  );
  return rows.map((row) => ({ name: row.sequence_name, value: row.last_value }));
}

async function writeTables(place: { warehouse: Warehouse; backups: ObjectStore }, id: string): Promise<BackupTable[]> {
  const contents = await place.warehouse.query<{
    table_name: string;
    columns: string[];
    row_count: string;
    hash: string;
  }>("select table_name, columns, row_count, hash from ops.backup_contents()");
  const tables = [];
  for (const { table_name: name, columns, row_count: rows, hash } of contents) {
    tables.push({ name, columns, rows: Number(rows), hash, files: await writeTable(place, { id, name }) });
  }
  return tables;
}

async function namesOf(warehouse: Warehouse, sql: string): Promise<string[]> {
  return (await warehouse.query<{ name: string }>(sql)).map(({ name }) => name);
}

export function summaryOf({ id, tables, goldHash: hash, positions }: BackupManifest): BackupSummary {
  return {
    id,
    tables: tables.length,
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    bytes: tables.flatMap(({ files }) => files).reduce((sum, { bytes }) => sum + bytes, 0),
    goldHash: hash,
    silverVersion: positions.silverVersion,
  };
}
