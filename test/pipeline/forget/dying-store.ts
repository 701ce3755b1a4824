import type { ObjectStore } from "../../../pipeline/ports.ts";

/** A store that throws before its nth write or deletion. */
export function dying(store: ObjectStore, steps: number): ObjectStore {
  let left = steps;
  const step = () => {
    if (left-- === 0) throw new Error("the process died");
  };
  return {
    ...store,
    put: async (...args) => (step(), await store.put(...args)),
    delete: async (key) => (step(), await store.delete(key)),
  };
}
