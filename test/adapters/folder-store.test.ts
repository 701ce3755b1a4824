import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { bytes, keepsTheContract, keysOf } from "./object-store-contract.ts";

describe("a folder store", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "folder-store-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  keepsTheContract({
    open: () => openFolderStore(root),
    openEmpty: () => openFolderStore(mkdtempSync(join(root, "p"))),
  });

  it("leaves no temporary files behind", async () => {
    const store = openFolderStore(root);
    await store.put("a", bytes("1"), { ifAbsent: true });
    await store.put("a", bytes("2"), { ifAbsent: true });
    await store.put("a", bytes("3"));
    expect(readdirSync(join(root, ".tmp"))).toEqual([]);
  });

  it("deletes old temporary files and those of dead processes when it is opened, but not a live process's", () => {
    const draft = (name: string) => join(root, ".tmp", name);
    mkdirSync(join(root, ".tmp"));
    const dead = spawnSync(process.execPath, ["--version"]).pid;
    for (const name of [`${dead}-1-1`, `${process.pid}-1-1`, `${process.pid}-2-1`]) writeFileSync(draft(name), "half");
    utimesSync(draft(`${process.pid}-2-1`), 1, 1);
    openFolderStore(root);
    expect(readdirSync(join(root, ".tmp"))).toEqual([`${process.pid}-1-1`]);
  });

  it("omits temporary files from listings", async () => {
    const store = openFolderStore(root);
    await store.put("a", bytes("1"));
    writeFileSync(join(root, ".tmp", "1-1-1"), "half");
    expect(keysOf(await store.list(""))).toEqual(["a"]);
    expect(await store.list(".tmp/")).toEqual([]);
  });

  it("fails for an unreadable folder instead of listing nothing", async () => {
    symlinkSync("round", join(root, "round"));
    await expect(openFolderStore(root).list("round/a")).rejects.toThrow("ELOOP");
    expect(await openFolderStore(root).list("nowhere/a")).toEqual([]);
  });

  it("writes nothing outside its folder", async () => {
    const store = openFolderStore(root);
    await expect(store.put("../a", bytes("1"))).rejects.toThrow(/Folder store .* is not allowed: use names/);
    expect(existsSync(join(root, "..", "a"))).toBe(false);
  });

  it("names the folder and what to do if a write fails", async () => {
    const store = openFolderStore(root);
    await store.put("a", bytes("1"));
    await expect(store.put("a/b", bytes("1"))).rejects.toThrow(
      `Folder store ${root}: could not write a/b: an object has the name of one of its folders`,
    );
    await store.put("folder/b", bytes("1"));
    await expect(store.put("folder", bytes("1"), { ifAbsent: true })).rejects.toThrow("a folder of that name exists");
    await expect(store.put("x".repeat(300), bytes("1"))).rejects.toThrow("longer than the file system allows");
  });
});
