import type { ObjectStore, Warehouse } from "../ports.ts";

/** One object of a backup: rows of a table as newline-delimited JSON, in one zstd frame. */
export interface BackupFile {
  key: string;
  rows: number;
  /** Compressed size in the store. */
  bytes: number;
  /** SHA-256 of these bytes, hex. */
  sha256: string;
}

/** One table of a backup. */
export interface BackupTable {
  /** Qualified name, such as `gold.daily_sales_summary`. */
  name: string;
  columns: string[];
  rows: number;
  /** Hash of the rows' contents, not of the files, as `ops.table_hash` computes it. */
  hash: string;
  files: BackupFile[];
}

/** The pipeline's position: what must still exist for a restored warehouse to continue. */
export interface BackupPositions {
  /** Id of silver's Delta table; null before its first commit. */
  silverTable: string | null;
  /** The newest silver version that a day of gold shows; -1 for none. */
  silverVersion: number;
  /** Days before this date were reported; null for none. */
  reportedUntil: string | null;
}

/** The contents of a backup. It is written last, so a backup without a manifest is incomplete. */
export interface BackupManifest {
  format: 1;
  id: string;
  /** ISO 8601, UTC. */
  madeAt: string;
  /** Hash of all gold tables, computed from `ops.gold_hash()`. */
  goldHash: string;
  positions: BackupPositions;
  /** Names of the migrations that were applied to the warehouse. */
  migrations: string[];
  sequences: { name: string; value: string }[];
  tables: BackupTable[];
}

/** A backup in a list. */
export type BackupInfo = WholeBackup | DamagedBackup;

/** A backup whose manifest cannot be read. */
export interface DamagedBackup {
  id: string;
  isProven: false;
  /** What is wrong with it. */
  problem: string;
}

/** A complete backup, described by its manifest. */
export interface WholeBackup {
  id: string;
  madeAt: string;
  /** Whether it was verified by a test restore. */
  isProven: boolean;
  tables: number;
  rows: number;
  /** Compressed size in the store. */
  bytes: number;
  goldHash: string;
  silverVersion: number;
}

const root = "backups/";

/** Returns the id of a backup: its creation time, so that ids sort by time. */
export const backupId = (now: number): string => new Date(now).toISOString().replaceAll(/[-:.]/g, "");
export const backupFolder = (id: string): string => `${root}${id}/`;
export const manifestKey = (id: string): string => `${backupFolder(id)}manifest.json`;
/** Key of the object that marks the backup as verified by a test restore. */
export const proofKey = (id: string): string => `${backupFolder(id)}proven.json`;

const ids = /^backups\/(\d{8}T\d{9}Z)\//;
const isId = /^\d{8}T\d{9}Z$/;

/** Lists all backups, complete or not, oldest first: the keys of their objects, by id. */
export async function listBackupKeys(backups: ObjectStore): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const { key } of await backups.list(root)) {
    const id = ids.exec(key)?.[1];
    if (id !== undefined) found.set(id, [...(found.get(id) ?? []), key]);
  }
  return found;
}

/** Reads a manifest; throws if the backup is incomplete or does not exist (naming the others), or if it is damaged. */
export async function readManifest(backups: ObjectStore, id: string): Promise<BackupManifest> {
  const body = isId.test(id) ? await backups.get(manifestKey(id)) : undefined;
  if (body === undefined) {
    const whole = [...(await listBackupKeys(backups))].filter(([other, keys]) => keys.includes(manifestKey(other)));
    const names = whole.map(([other]) => other).toReversed();
    throw new Error(
      `backup ${id} does not exist or was never completed; ${names.length === 0 ? "there are no complete backups" : `choose one of ${names.join(", ")}`}`,
    );
  }
  const manifest = parse(id, body);
  if (manifest === undefined) throw new Error(`${problemOf(id)}; restore another one`);
  return manifest;
}

/** Parses a manifest; undefined if it is not valid for this backup. */
function parse(id: string, body: Uint8Array): BackupManifest | undefined {
  try {
    const manifest = JSON.parse(Buffer.from(body).toString()) as BackupManifest | null;
    const isWhole = Array.isArray(manifest?.tables) && typeof manifest.positions?.silverVersion === "number";
    return isWhole && manifest.format === 1 && manifest.id === id ? manifest : undefined;
  } catch {
    return undefined;
  }
}

const problemOf = (id: string): string => `backup ${id} is damaged: ${manifestKey(id)} is not a valid manifest`;

/** Lists every complete backup, newest first, including damaged ones. */
export async function listBackups(backups: ObjectStore): Promise<BackupInfo[]> {
  const infos: BackupInfo[] = [];
  for (const [id, keys] of await listBackupKeys(backups)) {
    const body = keys.includes(manifestKey(id)) ? await backups.get(manifestKey(id)) : undefined;
    if (body === undefined) continue;
    const manifest = parse(id, body);
    if (manifest === undefined) {
      infos.push({ id, isProven: false, problem: problemOf(id) });
      continue;
    }
    const { madeAt, goldHash: hash, positions, tables } = manifest;
    const sum = (read: (table: BackupTable) => number) => tables.reduce((total, table) => total + read(table), 0);
    infos.push({
      id,
      madeAt,
      isProven: keys.includes(proofKey(id)),
      tables: tables.length,
      rows: sum(({ rows }) => rows),
      bytes: sum(({ files }) => files.reduce((total, { bytes }) => total + bytes, 0)),
      goldHash: hash,
      silverVersion: positions.silverVersion,
    });
  }
  return infos.toReversed();
}

/** Hashes of gold's contents. */
export interface GoldHash {
  /** Hash of all tables: equal if every number of gold is equal. */
  hash: string;
  tables: Record<string, { rows: number; hash: string }>;
}

/** Hashes gold inside PostgreSQL, excluding the columns with the publish time and the silver version of a row. */
export async function goldHash(warehouse: Warehouse): Promise<GoldHash> {
  const rows = await warehouse.query<{ table_name: string; row_count: string; hash: string; whole: string }>(
    `select
         table_name,
         row_count,
         hash,
         md5(string_agg(table_name || ' ' || hash, ',') over (
           order by table_name collate "C" rows between unbounded preceding and unbounded following
         )) as whole
     from ops.gold_hash()`,
  );
  return {
    hash: rows[0]?.whole ?? "",
    tables: Object.fromEntries(rows.map((row) => [row.table_name, { rows: Number(row.row_count), hash: row.hash }])),
  };
}
