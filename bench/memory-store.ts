import type { ObjectStore } from "../pipeline/ports.ts";

/** An in-memory object store, to exclude the disk from a measurement. It stores arrays without copying them. */
export function createMemoryStore(objects = new Map<string, Uint8Array>()): ObjectStore {
  return {
    get: async (key) => objects.get(key),
    async put(key, body, { ifAbsent = false } = {}) {
      if (ifAbsent && objects.has(key)) return false;
      objects.set(key, body);
      return true;
    },
    async list(prefix, { startAfter = "" } = {}) {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > startAfter).toSorted();
      return keys.map((key) => ({ key, size: objects.get(key)!.length }));
    },
    async delete(key) {
      objects.delete(key);
    },
  };
}

/** All objects of a store below a prefix. */
export async function readAll(store: ObjectStore, prefix: string): Promise<Map<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>();
  for (const { key } of await store.list(prefix)) objects.set(key, (await store.get(key))!);
  return objects;
}
