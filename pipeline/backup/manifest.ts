import type { ObjectStore } from "../ports.ts";

/** One object of a backup: rows of a table, one JSON object a line, in one zstd frame. */
export interface BackupFile {
  key: string;
  rows: number;
  /** As it lies in the store. */
  bytes: number;
  /** SHA-256 of these bytes, hex. */
  sha256: string;
}

export interface BackupTable {
  /** With its schema, such as `gold.daily_sales_summary`. */
  name: string;
  columns: string[];
  rows: number;
  /** As `ops.table_hash` works it out: over what the rows say, not over the files. */
  hash: string;
  files: BackupFile[];
}

/** Where the pipeline stood: what must still be there for a restored warehouse to go on. */
export interface BackupPositions {
  /** Id of silver's Delta table; null before its first commit. */
  silverTable: string | null;
  /** The newest version of silver that a day of gold shows; -1 for none. */
  silverVersion: number;
  /** Days before it were reported; null for none. */
  reportedUntil: string | null;
}

/** What a backup holds; it is written last, so a backup without one is none. */
export interface BackupManifest {
  format: 1;
  id: string;
  /** ISO 8601, UTC. */
  madeAt: string;
  /** Over all tables of gold, as `./pizza query` gives it from `ops.gold_hash()`. */
  goldHash: string;
  positions: BackupPositions;
  /** Names of the migrations that the warehouse had. */
  migrations: string[];
  sequences: { name: string; value: string }[];
  tables: BackupTable[];
}

/** A backup as a list shows it. */
export type BackupInfo = WholeBackup | DamagedBackup;

/** A backup whose manifest cannot be read. */
export interface DamagedBackup {
  id: string;
  isProven: false;
  /** What is wrong with it, a sentence. */
  problem: string;
}

/** A backup that was finished, as its manifest tells it. */
export interface WholeBackup {
  id: string;
  madeAt: string;
  /** Whether it was restored on trial after it was made. */
  isProven: boolean;
  tables: number;
  rows: number;
  /** In the store. */
  bytes: number;
  goldHash: string;
  silverVersion: number;
}

const root = "backups/";

/** An id is the moment it was made at, so that ids sort as time does. */
export const backupId = (now: number): string => new Date(now).toISOString().replaceAll(/[-:.]/g, "");
export const backupFolder = (id: string): string => `${root}${id}/`;
export const manifestKey = (id: string): string => `${backupFolder(id)}manifest.json`;
/** Says that the backup has been restored on trial. */
export const proofKey = (id: string): string => `${backupFolder(id)}proven.json`;

const ids = /^backups\/(\d{8}T\d{9}Z)\//;
const isId = /^\d{8}T\d{9}Z$/;

/** Ids of all backups, begun or whole, the oldest first, with the keys of their objects. */
export async function listBackupKeys(backups: ObjectStore): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const { key } of await backups.list(root)) {
    const id = ids.exec(key)?.[1];
    if (id !== undefined) found.set(id, [...(found.get(id) ?? []), key]);
  }
  return found;
}

/** Reads a manifest; throws a sentence where there is none, naming those there are, or where it cannot be read. */
export async function readManifest(backups: ObjectStore, id: string): Promise<BackupManifest> {
  const body = isId.test(id) ? await backups.get(manifestKey(id)) : undefined;
  if (body === undefined) {
    const whole = [...(await listBackupKeys(backups))].filter(([other, keys]) => keys.includes(manifestKey(other)));
    const names = whole.map(([other]) => other).toReversed();
    throw new Error(
      `backup ${id} is not there or was never finished; there ${names.length === 0 ? "is none" : `are ${names.join(", ")}`}`,
    );
  }
  const manifest = parse(id, body);
  if (manifest === undefined) throw new Error(`${problemOf(id)}; restore another one`);
  return manifest;
}

/** Undefined where the bytes are no manifest of this backup. */
function parse(id: string, body: Uint8Array): BackupManifest | undefined {
  try {
    const manifest = JSON.parse(Buffer.from(body).toString()) as BackupManifest | null;
    return manifest?.format === 1 && manifest.id === id ? manifest : undefined;
  } catch {
    return undefined;
  }
}

const problemOf = (id: string): string => `backup ${id} is damaged: ${manifestKey(id)} is no manifest of it`;

/** Every backup that was finished, the newest first. One that is damaged hides no other. */
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
    const { madeAt, goldHash, positions, tables } = manifest;
    const sum = (read: (table: BackupTable) => number) => tables.reduce((total, table) => total + read(table), 0);
    infos.push({
      id,
      madeAt,
      isProven: keys.includes(proofKey(id)),
      tables: tables.length,
      rows: sum(({ rows }) => rows),
      bytes: sum(({ files }) => files.reduce((total, { bytes }) => total + bytes, 0)),
      goldHash,
      silverVersion: positions.silverVersion,
    });
  }
  return infos.toReversed();
}
