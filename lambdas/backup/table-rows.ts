import { hash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { ObjectStore, Warehouse } from "../ports.ts";
import { backupFolder, type BackupFile, type BackupTable } from "./manifest.ts";

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
export async function writeTable(
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
