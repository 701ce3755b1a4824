import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { ObjectStore } from "../../pipeline/ports.ts";

export const bytes = (text: string): Buffer => Buffer.from(text);
export const textOf = (body: Uint8Array | undefined): string | undefined => body && Buffer.from(body).toString();
export const keysOf = (found: { key: string }[]): string[] => found.map(({ key }) => key);

/**
 * The contract of every object store, as tests. `openEmpty` returns an empty store, and `open` the test's store; a
 * second call of `open` returns another handle on the same objects.
 */
export function keepsTheContract({ open, openEmpty }: { open: () => ObjectStore; openEmpty: () => ObjectStore }): void {
  it("returns what was put, and undefined for a missing key", async () => {
    const store = open();
    expect(await store.put("a/b/c.bin", Uint8Array.of(0, 255, 7))).toBe(true);
    expect([...((await store.get("a/b/c.bin")) ?? [])]).toEqual([0, 255, 7]);
    expect(await store.put("empty", Uint8Array.of())).toBe(true);
    expect(await store.get("empty")).toHaveLength(0);
    expect(await store.get("a/b")).toBeUndefined();
    expect(await store.get("a/b/c.bin/d")).toBeUndefined();
    expect(await store.get("nothing")).toBeUndefined();
  });

  it("overwrites an object, except with ifAbsent", async () => {
    const store = open();
    expect(await store.put("key", bytes("one"), { ifAbsent: true })).toBe(true);
    expect(await store.put("key", bytes("two"), { ifAbsent: true })).toBe(false);
    expect(textOf(await store.get("key"))).toBe("one");
    expect(await store.put("key", bytes("three"))).toBe(true);
    expect(textOf(await store.get("key"))).toBe("three");
  });

  it("lets exactly one of many concurrent put-if-absent calls win, even in a new folder", async () => {
    const stores = Array.from({ length: 4 }, open);
    const puts = Array.from({ length: 40 }, async (_, writer) => {
      const created = await stores[writer % 4]?.put("log/x/0.json", bytes(String(writer)), { ifAbsent: true });
      return created ? String(writer) : undefined;
    });
    const winners = (await Promise.all(puts)).filter((winner) => winner !== undefined);
    expect(winners).toHaveLength(1);
    expect(textOf(await stores[0]?.get("log/x/0.json"))).toBe(winners[0]);
  });

  it("lists the keys with a prefix, which may end inside a name", async () => {
    const store = open();
    for (const key of ["a/1", "a/2", "ab", "b/a/1", "c"]) await store.put(key, bytes(key));
    expect(keysOf(await store.list(""))).toEqual(["a/1", "a/2", "ab", "b/a/1", "c"]);
    expect(await store.list("a/")).toEqual([
      { key: "a/1", size: 3 },
      { key: "a/2", size: 3 },
    ]);
    expect(keysOf(await store.list("a"))).toEqual(["a/1", "a/2", "ab"]);
    expect(keysOf(await store.list("b/a/1"))).toEqual(["b/a/1"]);
    expect(await store.list("nowhere/")).toEqual([]);
    for (const prefix of ["/", "a//", "./a", "../", ".tmp/", "a/../a"]) expect(await store.list(prefix)).toEqual([]);
    expect(keysOf(await store.list("", { startAfter: "a/1" }))).toEqual(["a/2", "ab", "b/a/1", "c"]);
  });

  it("lists keys in byte order, without duplicates", async () => {
    const part = fc.constantFrom("a", "a-", "a!", "a0", "b", "é", "￿", "😀", "~", "a b+c&<%d>", "\r\u0001");
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join("/")}.x`);
    const property = fc.asyncProperty(
      fc.uniqueArray(path, { maxLength: 12 }),
      path,
      path,
      async (keys, after, start) => {
        const store = openEmpty();
        await Promise.all(keys.map((key) => store.put(key, bytes(key))));
        const prefix = start.slice(0, 2).replace(/[\ud800-\udbff]$/, "");
        const expected = keys
          .filter((key) => key.startsWith(prefix) && Buffer.compare(bytes(key), bytes(after)) > 0)
          .toSorted((a, b) => Buffer.compare(bytes(a), bytes(b)));
        expect(keysOf(await store.list(prefix, { startAfter: after }))).toEqual(expected);
      },
    );
    await fc.assert(property, { numRuns: 20, examples: [[["😀.x", "￿.x"], "a.x", ""]] });
  });

  it("deletes an object, and ignores a missing one", async () => {
    const store = open();
    await store.put("a/b", bytes("1"));
    await store.delete("a/b");
    await store.delete("a/b");
    await store.delete("a");
    expect(await store.list("")).toEqual([]);
  });

  it.each(["", "/a", "a//b", "a/", "../a", "a/../b", "./a", ".tmp/a", "a\0b"])("rejects the key %j", async (key) => {
    const store = open();
    await expect(store.put(key, bytes("1"))).rejects.toThrow(/^.+: key .* is not allowed: use names/);
    await expect(store.get(key)).rejects.toThrow("is not allowed");
    await expect(store.delete(key)).rejects.toThrow("is not allowed");
    expect(await store.list("")).toEqual([]);
  });
}
