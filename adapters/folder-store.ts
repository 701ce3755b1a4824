import { mkdirSync, type Dirent } from "node:fs";
import { link, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorCode } from "../pipeline/domain/errors.ts";
import type { ObjectInfo, ObjectStore } from "../pipeline/ports.ts";
import { makeFolder, removeLeftovers, syncFolder } from "./folder-files.ts";

/** Folder of drafts below a store's root; it is not listed and no key may start with it. */
export const temporaryFolder = ".tmp";

let counter = 0;

/**
 * An object store in a folder with a bucket's guarantees: atomic objects, put-if-absent across processes, durable once
 * the promise resolves. Opening creates the folder and deletes drafts of writers that have exited.
 */
export function openFolderStore(root: string): ObjectStore {
  const temporary = join(root, temporaryFolder);
  atRoot(root, "open", () => mkdirSync(temporary, { recursive: true }));
  removeLeftovers(temporary);

  return {
    async get(key) {
      const path = pathOf(root, key);
      return await readFile(path).catch((error: unknown) => {
        if (codeIs(error, "ENOENT", "ENOTDIR", "EISDIR")) return undefined;
        throw explain(error, root, `read ${key}`);
      });
    },

    async put(key, body, { ifAbsent = false } = {}) {
      const path = pathOf(root, key);
      const draft = join(temporary, `${process.pid}-${(counter += 1)}-${Date.now()}`);
      try {
        await writeDraft(draft, body);
        const created = await inFolder(root, path, () => (ifAbsent ? linkOnce(draft, path) : replace(draft, path)));
        await syncFolder(dirname(path));
        return created;
      } catch (error) {
        throw explain(error, root, `write ${key}`);
      } finally {
        await unlink(draft).catch(() => undefined);
      }
    },

    async list(prefix, options = {}) {
      return await listFolder(root, prefix, options).catch((error: unknown) => {
        throw explain(error, root, `list ${prefix}`);
      });
    },

    async delete(key) {
      await unlink(pathOf(root, key)).catch((error: unknown) => {
        if (!codeIs(error, "ENOENT", "ENOTDIR", "EISDIR")) throw explain(error, root, `delete ${key}`);
      });
    },
  };
}

async function writeDraft(draft: string, body: Uint8Array): Promise<void> {
  const file = await open(draft, "wx");
  try {
    await file.writeFile(body);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function replace(draft: string, path: string): Promise<boolean> {
  await rename(draft, path);
  return true;
}

/** Creating a hard link is atomic and fails if the name exists. */
async function linkOnce(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeIs(error, "EEXIST") && (await stat(path)).isFile()) return false;
    throw error;
  }
}

/** Creates folders only after a failed write, because most exist already. */
async function inFolder(root: string, path: string, write: () => Promise<boolean>): Promise<boolean> {
  try {
    return await write();
  } catch (error) {
    if (!codeIs(error, "ENOENT")) throw error;
    await makeFolder(dirname(path), root);
    return await write();
  }
}

function pathOf(root: string, key: string): string {
  if (isKey(key)) return join(root, key);
  throw new Error(
    `Folder store ${root}: key ${JSON.stringify(key)} is not allowed: ` +
      `use names joined by "/", none of them empty, "." or "..", and not starting with ${temporaryFolder}/`,
  );
}

const advice: Record<string, string> = {
  ENOSPC: "the disk is full: free some space and try again",
  EDQUOT: "the disk quota is exceeded: free some space and try again",
  EROFS: "the disk is mounted read-only: choose another folder or mount it for writing",
  EACCES: "permission denied: grant this user write permission or choose another folder",
  EPERM: "permission denied: grant this user write permission or choose another folder",
  EMFILE: "too many open files: raise the limit (ulimit -n) and try again",
  EISDIR: "a folder of that name exists: choose another key",
  EEXIST: "a folder of that name exists: choose another key",
  ENOTDIR: "an object has the name of one of its folders: choose another key",
  ENAMETOOLONG: "a part of the key is longer than the file system allows: choose a shorter key",
};

function explain(error: unknown, root: string, doing: string): Error {
  const why = advice[errorCode(error)] ?? `${String(error)}: check that the folder is readable and writable`;
  return new Error(`Folder store ${root}: could not ${doing}: ${why}`, { cause: error });
}

function atRoot(root: string, doing: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw explain(error, root, doing);
  }
}

function codeIs(error: unknown, ...codes: string[]): boolean {
  return codes.includes(errorCode(error));
}

/** Whether a key is valid: names joined by `/`, none of them empty, `.` or `..`, and not below the drafts. */
export function isKey(key: string): boolean {
  const parts = key.split("/");
  const isBad = parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\0"));
  return !isBad && parts[0] !== temporaryFolder;
}

/**
 * Whether a valid key can start with this prefix: for other prefixes the store is not queried, and some reject them.
 */
export function canBeginKey(prefix: string): boolean {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  return folder === "" || isKey(folder.slice(0, -1));
}

/** The objects whose key starts with `prefix` and sorts after `startAfter`, in byte order; skips other folders. */
async function listFolder(
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

/** Names in byte order. Folders have a trailing `/`, which takes part in the order because it is part of the keys. */
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

/** Undefined if the file was deleted after the folder was read. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
