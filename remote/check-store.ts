import { randomUUID } from "node:crypto";
import { openS3Store } from "../lambdas/adapters/s3-store.ts";
import type { ObjectStore } from "../lambdas/ports.ts";

const writers = ["first", "second", "third"];

/**
 * Tries a bucket's put-if-absent on an object of its own below `doctor/`: by several writers at once, and once more
 * afterwards. Resolves to what was found; throws where a key can be taken twice, with what that would do to the orders.
 */
export async function checkPutIfAbsent(bucket: string, store = openS3Store({ bucket })): Promise<string> {
  const key = `doctor/${randomUUID()}`;
  try {
    const won = await createdBy(store, key, writers);
    const late = await createdBy(store, key, ["late"]);
    const kept = Buffer.from((await store.get(key)) ?? []).toString();
    if (won.length === 1 && late.length === 0 && kept === won[0]) return `${bucket} creates each object once`;
  } finally {
    // Who may write and not delete leaves it behind; that says nothing about the store.
    await store.delete(key).catch(() => {});
  }
  throw new Error(
    `${bucket} ignores If-None-Match and lets a second writer replace an object: two commits of silver under one ` +
      "version would both believe they won, and the orders of the first would be lost without a trace; use a store that " +
      "honours it (AWS S3, MinIO, LocalStack), or a newer release of this one",
  );
}

/** The writers whose put-if-absent says that it created the object. */
async function createdBy(store: ObjectStore, key: string, names: readonly string[]): Promise<string[]> {
  const created = await Promise.all(names.map((name) => store.put(key, Buffer.from(name), { ifAbsent: true })));
  return names.filter((_, index) => created[index]);
}
