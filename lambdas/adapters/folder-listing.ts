import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ObjectInfo } from "../ports.ts";
import { errorCode } from "./error-code.ts";

/** The folder of drafts below a store's root; no listing shows it and no key may begin with it. */
export const temporaryFolder = ".tmp";

/** Whether an object may have that key: names joined by `/`, none of them empty, `.` or `..`, and not among the drafts. */
export function isKey(key: string): boolean {
  const parts = key.split("/");
  const isBad = parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\0"));
  return !isBad && parts[0] !== temporaryFolder;
}

/** Whether some key begins so: a store need not be asked for what cannot be, and some refuse to be. */
export function canBeginKey(prefix: string): boolean {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  return folder === "" || isKey(folder.slice(0, -1));
}

/**
 * The objects below `root` whose key begins with `prefix` and sorts after `startAfter`, in byte order of the keys.
 * Folders that cannot hold such a key are not read.
 */
export async function listFolder(
  root: string,
  prefix: string,
  { startAfter }: { startAfter?: string },
): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  const after = startAfter === undefined ? undefined : Buffer.from(startAfter);

  async function visit(folder: string): Promise<void> {
    const entries = (await entriesOf(join(root, folder))).filter((entry) => isWanted(folder + entry.name));
    const files = entries.filter((entry) => !entry.name.endsWith("/"));
    const sizes = new Map(
      await Promise.all(files.map(async ({ name }) => [name, await sizeOf(join(root, folder, name))] as const)),
    );
    for (const { name } of entries) {
      const size = sizes.get(name);
      if (name.endsWith("/")) await visit(folder + name);
      else if (size !== undefined) found.push({ key: folder + name, size });
    }
  }

  function isWanted(key: string): boolean {
    if (key === `${temporaryFolder}/`) return false;
    const isFolder = key.endsWith("/");
    if (!key.startsWith(prefix) && !(isFolder && prefix.startsWith(key))) return false;
    if (after === undefined || startAfter === undefined) return true;
    return Buffer.compare(Buffer.from(key), after) > 0 || (isFolder && startAfter.startsWith(key));
  }

  if (canBeginKey(prefix)) await visit(prefix.slice(0, prefix.lastIndexOf("/") + 1));
  return found;
}

/** Names in byte order, folders with their `/`: it is part of their keys, so it takes part in the order. */
async function entriesOf(folder: string): Promise<{ name: string }[]> {
  return (await readEntries(folder))
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .map((name) => ({ name, bytes: Buffer.from(name) }))
    .toSorted((a, b) => Buffer.compare(a.bytes, b.bytes));
}

async function readEntries(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error))) return [];
    throw error;
  }
}

/** Undefined where the file went away since the folder was read. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
