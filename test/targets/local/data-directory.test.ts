import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  requireDataDirectory,
  dataDirectory,
  prepareDataDirectory,
  removeDataDirectory,
} from "../../../targets/local/data-directory.ts";

let root: string;
let dir: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pizza-folder-"));
  dir = join(root, "home");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const prepare = () => prepareDataDirectory(dataDirectory(dir), "start");

describe("a new local pipeline", () => {
  it("is not created in a folder with foreign files, and changes nothing there", () => {
    mkdirSync(dir);
    writeFileSync(join(dir, "thesis.txt"), "important");
    expect(prepare).toThrow(
      /files not created by a local pipeline \(thesis\.txt\): give an empty or new folder with --dir/,
    );
    expect(readdirSync(dir)).toEqual(["thesis.txt"]);
  });

  it("is not created at the path of a file", () => {
    writeFileSync(dir, "");
    expect(prepare).toThrow(/home is a file: give a folder with --dir/);
  });

  it("is created in an empty folder, in one with the log of a failed start, and in a partly created one", () => {
    mkdirSync(join(dir, "logs"), { recursive: true });
    writeFileSync(join(dir, "logs", "home.log"), "port 80 is used by another program");
    mkdirSync(join(dir, "lake"));
    mkdirSync(join(dir, "stream"));
    const record = prepare();
    expect(prepare()).toEqual(record);
  });
});

describe("a data directory without home.json", () => {
  it.each(["stream", "lake", "postgres", "backups"] as const)("is not recreated over its %s", (part) => {
    const first = prepare();
    const folder = dataDirectory(dir);
    mkdirSync(folder[part], { recursive: true });
    writeFileSync(join(folder[part], "data"), "orders");
    const kept = readFileSync(join(dir, "home.json"));
    rmSync(join(dir, "home.json"));
    expect(prepare).toThrow(new RegExp(`home\\.json is missing, but ${part} exists: restore it`));
    expect(() => requireDataDirectory(folder)).toThrow(/is missing/);
    writeFileSync(join(dir, "home.json"), kept);
    expect(prepare()).toEqual(first);
  });
});

describe("a data directory that lacks a folder", () => {
  it.each([
    ["lake", "put it back, or start over"],
    ["stream", "put it back, or start over"],
    ["postgres", "recover it with ./pizza restore"],
  ] as const)("is not opened without its %s, and no empty one is created", (part, advice) => {
    prepare();
    const folder = dataDirectory(dir);
    rmSync(folder[part], { recursive: true });
    expect(prepare).toThrow(`missing ${folder[part]}: ${advice}`);
    expect(existsSync(folder[part])).toBe(false);
  });
});

describe("removing a data directory", () => {
  it("removes the folder and everything that the pipeline created in it", () => {
    prepare();
    writeFileSync(join(dir, "lake", "data"), "orders");
    expect(removeDataDirectory(dataDirectory(dir))).toEqual([]);
    expect(existsSync(dir)).toBe(false);
  });

  it("keeps foreign files, and names them", () => {
    prepare();
    writeFileSync(join(dir, "thesis.txt"), "important");
    mkdirSync(join(dir, "photos"));
    expect(removeDataDirectory(dataDirectory(dir)).toSorted()).toEqual(["photos", "thesis.txt"]);
    expect(readdirSync(dir).toSorted()).toEqual(["photos", "thesis.txt"]);
  });

  it("removes a link to another disk, but nothing on that disk", () => {
    prepare();
    const disk = join(root, "disk");
    mkdirSync(disk);
    writeFileSync(join(disk, "old"), "backup");
    symlinkSync(disk, dataDirectory(dir).backups);
    expect(removeDataDirectory(dataDirectory(dir))).toEqual([]);
    expect(readdirSync(disk)).toEqual(["old"]);
  });
});
