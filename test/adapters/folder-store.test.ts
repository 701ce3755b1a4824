import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFolderStore } from "../../lambdas/adapters/folder-store.ts";

const bytes = (text: string) => Buffer.from(text);
const keysOf = (found: { key: string }[]) => found.map(({ key }) => key);

describe("folder store", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "folder-store-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("gives back what was put, and undefined for what was not", async () => {
    const store = openFolderStore(root);
    expect(await store.put("a/b/c.bin", Uint8Array.of(0, 255, 7))).toBe(true);
    expect([...((await store.get("a/b/c.bin")) ?? [])]).toEqual([0, 255, 7]);
    expect(await store.get("a/b")).toBeUndefined();
    expect(await store.get("a/b/c.bin/d")).toBeUndefined();
    expect(await store.get("nothing")).toBeUndefined();
  });

  it("replaces an object, but never with ifAbsent", async () => {
    const store = openFolderStore(root);
    expect(await store.put("key", bytes("one"), { ifAbsent: true })).toBe(true);
    expect(await store.put("key", bytes("two"), { ifAbsent: true })).toBe(false);
    expect(String(await store.get("key"))).toBe("one");
    expect(await store.put("key", bytes("three"))).toBe(true);
    expect(String(await store.get("key"))).toBe("three");
  });

  it("lets exactly one of many win a put-if-absent, also in a folder that none has made yet", async () => {
    const stores = Array.from({ length: 4 }, () => openFolderStore(root));
    const puts = Array.from({ length: 40 }, async (_, writer) => {
      const created = await stores[writer % 4]?.put("log/x/0.json", bytes(String(writer)), { ifAbsent: true });
      return created ? String(writer) : undefined;
    });
    const winners = (await Promise.all(puts)).filter((winner) => winner !== undefined);
    expect(winners).toHaveLength(1);
    expect(String(await stores[0]?.get("log/x/0.json"))).toBe(winners[0]);
  });

  it("leaves no draft behind", async () => {
    const store = openFolderStore(root);
    await store.put("a", bytes("1"), { ifAbsent: true });
    await store.put("a", bytes("2"), { ifAbsent: true });
    await store.put("a", bytes("3"));
    expect(readdirSync(join(root, ".tmp"))).toEqual([]);
  });

  it("removes the drafts of dead processes and old ones when it is opened, and no living one's", () => {
    const draft = (name: string) => join(root, ".tmp", name);
    mkdirSync(join(root, ".tmp"));
    const dead = spawnSync(process.execPath, ["--version"]).pid;
    for (const name of [`${dead}-1-1`, `${process.pid}-1-1`, `${process.pid}-2-1`]) writeFileSync(draft(name), "half");
    utimesSync(draft(`${process.pid}-2-1`), 1, 1);
    openFolderStore(root);
    expect(readdirSync(join(root, ".tmp"))).toEqual([`${process.pid}-1-1`]);
  });

  it("lists what begins with a prefix, whole names or parts of one, and hides the drafts", async () => {
    const store = openFolderStore(root);
    for (const key of ["a/1", "a/2", "ab", "b/a/1", "c"]) await store.put(key, bytes(key));
    writeFileSync(join(root, ".tmp", "1-1-1"), "half");
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

  it("lists any keys as a sorted set of byte strings would be", async () => {
    const part = fc.constantFrom("a", "a-", "a!", "a0", "b", "é", "￿", "😀", "~");
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join("/")}.x`);
    const property = fc.asyncProperty(
      fc.uniqueArray(path, { maxLength: 12 }),
      path,
      path,
      async (keys, after, start) => {
        const folder = mkdtempSync(join(root, "p"));
        const store = openFolderStore(folder);
        await Promise.all(keys.map((key) => store.put(key, bytes(key))));
        const prefix = start.slice(0, 2).replace(/[\ud800-\udbff]$/, "");
        const expected = keys
          .filter((key) => key.startsWith(prefix) && Buffer.compare(bytes(key), bytes(after)) > 0)
          .toSorted((a, b) => Buffer.compare(bytes(a), bytes(b)));
        expect(keysOf(await store.list(prefix, { startAfter: after }))).toEqual(expected);
      },
    );
    await fc.assert(property, { numRuns: 40, examples: [[["😀.x", "￿.x"], "a.x", ""]] });
  });

  it("deletes an object, and does not mind one that is not there", async () => {
    const store = openFolderStore(root);
    await store.put("a/b", bytes("1"));
    await store.delete("a/b");
    await store.delete("a/b");
    await store.delete("a");
    expect(await store.list("")).toEqual([]);
  });

  it.each(["", "/a", "a//b", "a/", "../a", "a/../b", "./a", ".tmp/a", "a\0b"])("refuses the key %j", async (key) => {
    const store = openFolderStore(root);
    await expect(store.put(key, bytes("1"))).rejects.toThrow(/Folder store .* is not allowed; use names/);
    await expect(store.get(key)).rejects.toThrow("is not allowed");
    await expect(store.delete(key)).rejects.toThrow("is not allowed");
    expect(existsSync(join(root, "..", "a"))).toBe(false);
  });

  it("says which folder it is about and what to do when the disk refuses", async () => {
    const store = openFolderStore(root);
    await store.put("a", bytes("1"));
    await expect(store.put("a/b", bytes("1"))).rejects.toThrow(
      `Folder store ${root}: could not write a/b: an object has the name of one of its folders already`,
    );
    await store.put("folder/b", bytes("1"));
    await expect(store.put("folder", bytes("1"), { ifAbsent: true })).rejects.toThrow("a folder has that name already");
    await expect(store.put("x".repeat(300), bytes("1"))).rejects.toThrow("longer than the file system allows");
  });
});
