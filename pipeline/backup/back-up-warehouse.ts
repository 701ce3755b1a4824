import { hash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { DeltaTable } from "../delta/table.ts";
import type { Clock, ObjectStore, OnProgress, TransactionalWarehouse, Warehouse, DatabaseSnapshots } from "../ports.ts";
import {
  goldHash,
  backupId,
  manifestKey,
  type BackupManifest,
  type BackupPositions,
  type BackupTable,
  backupFolder,
  type BackupFile,
} from "./manifest.ts";
import { dayMs } from "../domain/dates.ts";

/** Bytes of rows per query: with escaped quotes, they fit into a response of the RDS Data API. */
const pageBytes = 400_000;
/** Uncompressed bytes of rows per object. */
const fileBytes = 4_000_000;
/** Maximum uncompressed size that is read; `writeTable` never writes more. */
const largestFile = 64 * 1024 * 1024;

/** What a backup reads and where it is stored. */
export interface BackupContext {
  warehouse: TransactionalWarehouse;
  backups: ObjectStore;
  silver: DeltaTable;
  clock: Clock;
  onProgress?: OnProgress;
}

/** The size and state of a backup. */
export interface BackupSummary {
  id: string;
  tables: number;
  rows: number;
  /** Compressed size in the store. */
  bytes: number;
  goldHash: string;
  /** The newest silver version that a day of gold shows; -1 for none. */
  silverVersion: number;
}

/**
 * Copies a consistent snapshot of gold, its facts and the ledgers to the backup store while the pipeline runs, and then
 * writes the manifest, which completes the backup. Each call creates a new backup.
 */
export async function backUpWarehouse(context: BackupContext): Promise<BackupSummary> {
  const now = context.clock();
  const id = backupId(now);
  const { metadata } = await context.silver.snapshot();
  const manifest = await context.warehouse.transaction("snapshot", async (warehouse): Promise<BackupManifest> => ({
    format: 1,
    id,
    madeAt: new Date(now).toISOString(),
    goldHash: (await goldHash(warehouse)).hash,
    positions: await readPositions(warehouse, metadata?.id ?? null),
    migrations: await namesOf(warehouse, "select name from ops.migrations order by name"),
    sequences: await readSequences(warehouse),
    tables: await writeTables({ warehouse, backups: context.backups }, { id, onProgress: context.onProgress }),
  }));
  await context.backups.put(manifestKey(id), Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`), { ifAbsent: true });
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

async function writeTables(
  stores: { warehouse: Warehouse; backups: ObjectStore },
  { id, onProgress = () => {} }: { id: string; onProgress: OnProgress | undefined },
): Promise<BackupTable[]> {
  const contents = await stores.warehouse.query<{
    table_name: string;
    columns: string[];
    row_count: string;
    hash: string;
  }>("select table_name, columns, row_count, hash from ops.backup_contents()");
  const tables = [];
  for (const { table_name: name, columns, row_count: rows, hash: tableHash } of contents) {
    onProgress(tables.length, contents.length, "tables");
    tables.push({ name, columns, rows: Number(rows), hash: tableHash, files: await writeTable(stores, { id, name }) });
  }
  onProgress(tables.length, contents.length, "tables");
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

/** Reads the rows of a table as lines of JSON, page by page, in key order. */
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

/** Copies a table to the store and returns its files. */
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
      throw new Error(`backup ${id}: another process has written ${key}; make another backup`);
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

/** Whether the key has this content, as after a put that succeeded but lost its response. */
async function isThere(backups: ObjectStore, key: string, body: Uint8Array): Promise<boolean> {
  const found = await backups.get(key);
  return found !== undefined && Buffer.compare(found, body) === 0;
}

/** Reads a table's rows back, file by file; throws if a file is missing or does not match the manifest. */
export async function* readTable(backups: ObjectStore, { files }: BackupTable): AsyncGenerator<string[]> {
  for (const { key, rows, sha256 } of files) {
    const body = await backups.get(key);
    if (body === undefined) throw new Error(`the backup is damaged: ${key} is missing`);
    if (hash("sha256", body) !== sha256) {
      throw new Error(`the backup is damaged: ${key} does not match the hash in its manifest`);
    }
    const lines = Buffer.from(zstdDecompressSync(body, { maxOutputLength: largestFile }))
      .toString()
      .split("\n");
    if (lines.length !== rows) {
      throw new Error(`the backup is damaged: ${key} has ${lines.length} rows instead of ${rows}`);
    }
    yield lines;
  }
}

/** Groups lines so that each group fits into one request to the warehouse. */
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

/** The state of the database server's own snapshot. */
export interface SnapshotProgress {
  /** Name of the snapshot and of its export; null if the server has no snapshots. */
  snapshot: string | null;
  state: string;
  isDone: boolean;
  /** Names of the expired snapshots that were deleted. */
  removed: string[];
}

/**
 * Advances the database server's own snapshot and export for a backup; call it until it is done. A server without
 * snapshots is done at once.
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
