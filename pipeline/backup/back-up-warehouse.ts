import { hash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { DeltaTable } from "../delta/table.ts";
import type { Clock, ObjectStore, TransactionalWarehouse, Warehouse, DatabaseSnapshots } from "../ports.ts";
import { goldHash } from "./gold-hash.ts";
import {
  backupId,
  manifestKey,
  type BackupManifest,
  type BackupPositions,
  type BackupTable,
  backupFolder,
  type BackupFile,
} from "./manifest.ts";
import { dayMs } from "../domain/dates.ts";

/** What making a backup works with. */
export interface BackupContext {
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
export async function backUpWarehouse(place: BackupContext): Promise<BackupSummary> {
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
  for (const { table_name: name, columns, row_count: rows, hash: tableHash } of contents) {
    tables.push({ name, columns, rows: Number(rows), hash: tableHash, files: await writeTable(place, { id, name }) });
  }
  return tables;
}

async function namesOf(warehouse: Warehouse, sql: string): Promise<string[]> {
  return (await warehouse.query<{ name: string }>(sql)).map(({ name }) => name);
}

export function summaryOf({ id, tables, goldHash: goldDigest, positions }: BackupManifest): BackupSummary {
  return {
    id,
    tables: tables.length,
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    bytes: tables.flatMap(({ files }) => files).reduce((sum, { bytes }) => sum + bytes, 0),
    goldHash: goldDigest,
    silverVersion: positions.silverVersion,
  };
}

/** Bytes of rows that the warehouse gives at once: with its quotes escaped, an answer of the RDS Data API holds them. */
const pageBytes = 400_000;
/** Bytes of rows in one object. */
const fileBytes = 4_000_000;
/** A file that claims more is not one of ours. */
const largestFile = 64 * 1024 * 1024;

/** The rows of a table as lines of JSON, page by page, in the order of its key. */
async function* readPages(warehouse: Warehouse, table: string): AsyncGenerator<string[]> {
  let last: string | null = null;
  for (;;) {
    const parts: { line: number; body: string }[] = await warehouse.query(
      "select line, body from ops.backup_page($1, $2::jsonb, $3::integer)",
      [table, last, pageBytes],
    );
    if (parts.length === 0) return;
    const lines: string[] = [];
    for (const { line, body } of parts) lines[line - 1] = (lines[line - 1] ?? "") + body;
    last = lines.at(-1)!;
    yield lines;
  }
}

/** Copies a table into the store, and says what lies there. */
async function writeTable(
  { warehouse, backups }: { warehouse: Warehouse; backups: ObjectStore },
  { id, name }: { id: string; name: string },
): Promise<BackupFile[]> {
  const files: BackupFile[] = [];
  let [lines, bytes]: [string[], number] = [[], 0];
  const flush = async () => {
    if (lines.length === 0) return;
    const key = `${backupFolder(id)}${name}/${String(files.length).padStart(5, "0")}.jsonl.zst`;
    const body = zstdCompressSync(Buffer.from(lines.join("\n")));
    if (!(await backups.put(key, body, { ifAbsent: true })) && !(await isThere(backups, key, body))) {
      throw new Error(`backup ${id}: somebody else has written ${key}; make another backup`);
    }
    files.push({ key, rows: lines.length, bytes: body.length, sha256: hash("sha256", body) });
    [lines, bytes] = [[], 0];
  };
  for await (const page of readPages(warehouse, name)) {
    for (const line of page) bytes += line.length;
    lines.push(...page);
    if (bytes >= fileBytes) await flush();
  }
  await flush();
  return files;
}

/** A put whose answer was lost finds its own object. */
async function isThere(backups: ObjectStore, key: string, body: Uint8Array): Promise<boolean> {
  const found = await backups.get(key);
  return found !== undefined && Buffer.compare(found, body) === 0;
}

/** Reads a table's rows back, file by file; throws a sentence for a file that is not as the manifest says. */
export async function* readTable(backups: ObjectStore, { files }: BackupTable): AsyncGenerator<string[]> {
  for (const { key, rows, sha256 } of files) {
    const body = await backups.get(key);
    if (body === undefined) throw new Error(`the backup is damaged: ${key} is missing`);
    if (hash("sha256", body) !== sha256) {
      throw new Error(`the backup is damaged: ${key} has other bytes than its manifest says`);
    }
    const lines = Buffer.from(zstdDecompressSync(body, { maxOutputLength: largestFile }))
      .toString()
      .split("\n");
    if (lines.length !== rows) throw new Error(`the backup is damaged: ${key} has ${lines.length} rows for ${rows}`);
    yield lines;
  }
}

/** Lines in groups that one request to the warehouse can carry. */
export function* inPages(lines: readonly string[]): Generator<string[]> {
  let [page, bytes]: [string[], number] = [[], 0];
  for (const line of lines) {
    if (page.length > 0 && bytes + line.length > pageBytes) {
      yield page;
      [page, bytes] = [[], 0];
    }
    page.push(line);
    bytes += line.length;
  }
  if (page.length > 0) yield page;
}

export interface SnapshotProgress {
  /** Name of the snapshot and of its export; null where the server makes none of its own. */
  snapshot: string | null;
  state: string;
  isDone: boolean;
  /** Older ones that were removed. */
  removed: string[];
}

/**
 * Takes the next step of the database server's own snapshot and export that belong to a backup; to be called until it is
 * done. A server without snapshots of its own is done at once.
 */
export async function snapshotDatabase(
  { snapshots, clock }: { snapshots: DatabaseSnapshots | undefined; clock: Clock },
  { id, keepDays }: { id: string; keepDays: number },
): Promise<SnapshotProgress> {
  if (snapshots === undefined) return { snapshot: null, state: "none", isDone: true, removed: [] };
  const { name, state, isDone } = await snapshots.advance(id);
  const removed = isDone ? await snapshots.expire(backupId(clock() - keepDays * dayMs)) : [];
  return { snapshot: name, state, isDone, removed };
}
