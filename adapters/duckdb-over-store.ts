import { statfs } from "node:fs/promises";
import type { LakeQuery, ObjectStore } from "../pipeline/ports.ts";
import { openDuckDbLake } from "./duckdb.ts";
import { openFolderStore } from "./folder-store.ts";

const fetchesAtOnce = 8;
const shareOfDisk = 0.75;

/**
 * DuckDB on a lake in an object store: copies a query's Parquet files into `folder` first. The files are immutable, so
 * the copies are cached for later queries, up to `maxBytes` (default: three quarters of the disk) with
 * least-recently-used eviction. Throws if the files of one query exceed that.
 */
export async function openDuckDbOverStore({
  store,
  folder,
  maxBytes,
  memoryLimit,
}: {
  store: ObjectStore;
  folder: string;
  maxBytes?: number;
  /** DuckDB's memory limit, such as `512MB`. */
  memoryLimit?: string;
}): Promise<LakeQuery & { close(): Promise<void> }> {
  const cache = await openFileCache({ store, folder, ...(maxBytes !== undefined && { maxBytes }) });
  const lake = await openDuckDbLake({ root: cache.root, ...(memoryLimit !== undefined && { memoryLimit }) });
  return {
    query: (sql, parameters, tables, options) =>
      cache.holding(
        tables.flatMap(({ files }) => files),
        () => lake.query(sql, parameters, tables, options),
      ),
    close: () => lake.close(),
  };
}

/** Copies of a store's immutable objects in a folder. */
export interface FileCache {
  /** Folder of the copies; each has its object's key as path. */
  root: string;
  /** Fetches these objects if necessary and keeps them in the folder while `use` runs. */
  holding<Result>(keys: readonly string[], use: () => Promise<Result>): Promise<Result>;
}

interface Copy {
  bytes: number;
  /** Number of current uses. */
  holders: number;
}

/**
 * Opens the folder of copies, including those of earlier processes. It is limited to `maxBytes` (default: three
 * quarters of the disk space available to it) with least-recently-used eviction. Objects in use are never evicted, so a
 * use that needs more throws.
 */
async function openFileCache({
  store,
  folder,
  maxBytes,
}: {
  store: ObjectStore;
  folder: string;
  maxBytes?: number;
}): Promise<FileCache> {
  const files = openFolderStore(folder);
  // A Map iterates in insertion order: a used key is reinserted at the end, so iteration is least recently used first.
  const copies = new Map<string, Copy>();
  const changes = new Map<string, Promise<void>>();
  let total = 0;
  for (const { key, size } of await files.list("")) add(key, size);
  const limit = maxBytes ?? shareOfDisk * (total + (await freeBytes(folder)));
  await makeRoom();

  function add(key: string, bytes: number): void {
    copies.set(key, { bytes, holders: 0 });
    total += bytes;
  }

  async function makeRoom(): Promise<void> {
    for (const [key, { bytes, holders }] of copies) {
      if (total <= limit) return;
      if (holders > 0 || changes.has(key)) continue;
      copies.delete(key);
      total -= bytes;
      await onlyOnce(key, () => files.delete(key));
    }
  }

  async function fetch(key: string): Promise<void> {
    const body = await store.get(key);
    if (!body) throw new Error(`Lake file ${key}: not in the store: plan the query again on a newer version`);
    await files.put(key, body);
    add(key, body.length);
  }

  /** Serializes changes per file: a second caller waits for the running change and must check again afterwards. */
  function onlyOnce(key: string, change: () => Promise<void>): Promise<void> {
    const changing = changes.get(key);
    if (changing) return changing;
    const changed = change().finally(() => changes.delete(key));
    changes.set(key, changed);
    return changed;
  }

  async function hold(key: string): Promise<void> {
    while (!copies.has(key)) await onlyOnce(key, () => fetch(key));
    const copy = copies.get(key)!;
    copies.delete(key);
    copies.set(key, copy);
    copy.holders++;
  }

  async function holdAll(keys: readonly string[], held: string[]): Promise<void> {
    const waiting = [...keys];
    const work = async (): Promise<void> => {
      for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
        await hold(key);
        held.push(key);
        await makeRoom();
        if (total > limit) throw tooLarge();
      }
    };
    // Waits for all workers before throwing, so that files still being fetched are released too.
    const ended = await Promise.allSettled(Array.from({ length: fetchesAtOnce }, work));
    for (const end of ended) if (end.status === "rejected") throw end.reason;
  }

  function tooLarge(): Error {
    const sizes = `${total} bytes are in use, ${Math.floor(limit)} are allowed`;
    return new Error(`Lake cache ${folder}: ${sizes}: give the function more ephemeral storage, or query with Athena`);
  }

  return {
    root: folder,
    async holding(keys, use) {
      const held: string[] = [];
      try {
        await holdAll([...new Set(keys)], held);
        return await use();
      } finally {
        for (const key of held) copies.get(key)!.holders--;
        await makeRoom();
      }
    },
  };
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
