import { statfs } from "node:fs/promises";
import type { LakeQuery, ObjectStore } from "../pipeline/ports.ts";
import { openDuckDbLake } from "./duckdb.ts";
import { openFolderStore } from "./folder-store.ts";

/**
 * DuckDB on a lake that is not a folder: the Parquet files of a query are copied into `folder` first. They never change, so
 * copies are kept for later queries, up to `maxBytes` (else three quarters of the disk), the one unused for the longest going first. A query whose files alone are more than
 * that ends in an error.
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
  /** What DuckDB may take, such as `512MB`. */
  memoryLimit?: string;
}): Promise<LakeQuery & { close(): void }> {
  const cache = await openFileCache({ store, folder, ...(maxBytes !== undefined && { maxBytes }) });
  const lake = await openDuckDbLake({ root: cache.root, ...(memoryLimit !== undefined && { memoryLimit }) });
  return {
    query: (sql, parameters, tables) =>
      cache.holding(
        tables.flatMap(({ files }) => files),
        () => lake.query(sql, parameters, tables),
      ),
    close: () => lake.close(),
  };
}

const fetchesAtOnce = 8;
const shareOfDisk = 0.75;

/** Copies of a store's immutable objects in a folder. */
export interface FileCache {
  /** Where an object's copy lies: below this, under its key. */
  root: string;
  /** Has all these objects in the folder, and keeps them there while `use` runs. */
  holding<Result>(keys: readonly string[], use: () => Promise<Result>): Promise<Result>;
}

interface Copy {
  bytes: number;
  /** Uses under way. */
  holders: number;
}

/**
 * Opens a folder of copies, with those that an earlier process left there. It is bounded by `maxBytes`
 * (without it, by three quarters of what the disk has for it): what was not used for the longest goes first. Objects in use stay, so a use that needs more than `maxBytes` ends in an error.
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
  // A Map keeps the order in which its keys came: the one used last is put at its end.
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
    if (!body) throw new Error(`Lake file ${key}: it is not in the store; plan the query again on a newer version`);
    await files.put(key, body);
    add(key, body.length);
  }

  /** Whoever wants to change a file that is being changed waits for that instead, and then looks again. */
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
    // All of them end before the first error counts: what one still fetches must not be held for ever.
    const ended = await Promise.allSettled(Array.from({ length: fetchesAtOnce }, work));
    for (const end of ended) if (end.status === "rejected") throw end.reason;
  }

  function tooLarge(): Error {
    const sizes = `${total} bytes are in use, ${Math.floor(limit)} are allowed`;
    return new Error(`Lake cache ${folder}: ${sizes}; give the function more ephemeral storage, or query with Athena`);
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
