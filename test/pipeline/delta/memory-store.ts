import type { ObjectStore } from "../../../pipeline/ports.ts";

/** An in-memory bucket that satisfies the contract of the port. */
export function createMemoryStore(): ObjectStore & { readonly objects: Map<string, Uint8Array> } {
  const objects = new Map<string, Uint8Array>();
  return {
    objects,
    async get(key) {
      return objects.get(key);
    },
    async put(key, body, { ifAbsent = false } = {}) {
      if (ifAbsent && objects.has(key)) return false;
      objects.set(key, Uint8Array.from(body));
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
