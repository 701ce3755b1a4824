import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  requireDataDirectory,
  dataDirectory,
  lockDataDirectory,
  openedBy,
  prepareDataDirectory,
  readPipelineRecord,
  removeDataDirectory,
} from "../../../targets/local/data-directory.ts";
import { openCheckpoints } from "../../../targets/local/event-source-mapping/checkpoints.ts";
import { readCredentials } from "../../../targets/local/postgres-credentials.ts";
import { openStreamLog } from "../../../targets/local/stream/stream-log.ts";

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

/** What a file may hold after a full disk or a crash: each is no content that was ever written. */
const garbage = ["", "{", "null", "[]", "{}", "7", '"text"', "\u0000\u0000\u0000\u0000"];

describe("a damaged state file is named, with what to do", () => {
  it.each(garbage)("home.json with %j", (text) => {
    prepare();
    writeFileSync(join(dir, "home.json"), text);
    for (const use of [prepare, () => readPipelineRecord(dataDirectory(dir)), lock]) {
      expect(use).toThrow(/home\.json is damaged: restore it from a copy/);
    }
  });

  it.each(["{}", '{"pid":0}', '{"pid":1,"port":80}', "7", '"text"', "[]"])("home.json with the process %s", (text) => {
    const record = prepare();
    writeFileSync(join(dir, "home.json"), JSON.stringify({ ...record, process: JSON.parse(text) }));
    expect(() => readPipelineRecord(dataDirectory(dir))).toThrow(/home\.json is damaged: restore it from a copy/);
  });

  it.each(garbage)("postgres/credentials.json with %j", async (text) => {
    prepare();
    writeFileSync(join(dir, "postgres", "credentials.json"), text);
    await expect(readCredentials(join(dir, "postgres"))).rejects.toThrow(
      /credentials\.json cannot be read or is damaged: .* restore it from a copy/,
    );
  });

  it.each([...garbage, '{"format":1}', '{"format":1,"shards":[]}', '{"format":1,"shards":[{"id":"shardId-1"}]}'])(
    "stream/shard-map.json with %j",
    async (text) => {
      prepare();
      await (await openStreamLog({ dir: join(dir, "stream"), shards: 1 })).close();
      writeFileSync(join(dir, "stream", "shard-map.json"), text);
      await expect(openStreamLog({ dir: join(dir, "stream"), shards: 1 })).rejects.toThrow(
        /shard-map\.json is damaged: put it back from a copy/,
      );
    },
  );

  it("stream/shard-map.json that is missing although its shards exist", async () => {
    prepare();
    await (await openStreamLog({ dir: join(dir, "stream"), shards: 1 })).close();
    rmSync(join(dir, "stream", "shard-map.json"));
    await expect(openStreamLog({ dir: join(dir, "stream"), shards: 1 })).rejects.toThrow(
      /shard-map\.json is missing: put it back from a copy/,
    );
  });

  it.each(garbage)("a damaged checkpoint is reported, and its shard is redelivered: %j", (text) => {
    prepare();
    const path = join(dir, "checkpoints", "shardId-000000000000.json");
    writeFileSync(path, text);
    const damaged: string[] = [];
    expect(openCheckpoints(join(dir, "checkpoints"), (file) => damaged.push(file)).all()).toEqual({});
    expect(damaged).toEqual([path]);
  });

  it.each(garbage)("a damaged lock is taken over: %j", (text) => {
    prepare();
    writeFileSync(join(dir, "lock"), text);
    lock()();
    expect(readdirSync(dir)).not.toContain("lock");
  });
});

describe("a data directory of another user", () => {
  afterEach(() => void vi.restoreAllMocks());

  it("is not opened, and the message says how to take over a copy", () => {
    prepare();
    const mine = process.getuid!();
    vi.spyOn(process, "getuid").mockReturnValue(mine + 1);
    const sentence = `${dir} belongs to the user with the id ${mine}, and this is the user with the id ${mine + 1}: run as its owner; to take over a copy, change the owner of the whole folder with chown -R`;
    for (const use of [prepare, lock, () => requireDataDirectory(dataDirectory(dir))]) expect(use).toThrow(sentence);
  });

  it("is also reported if only a part of it belongs to another user", () => {
    prepare();
    const mine = process.getuid!();
    // The record is read as its owner, the rest is not.
    vi.spyOn(process, "getuid")
      .mockReturnValueOnce(mine)
      .mockReturnValueOnce(mine)
      .mockReturnValue(mine + 1);
    expect(prepare).toThrow(/lake belongs to the user with the id/);
  });
});

const lock = () => lockDataDirectory(dataDirectory(dir));

describe("the lock of a data directory", () => {
  it("is taken before anything else is created in the folder, which only the owner can enter", () => {
    const unlock = lock();
    expect(readdirSync(dir)).toEqual(["lock"]);
    expect(statSync(dir).mode & 0o077).toBe(0);
    unlock();
    expect(readdirSync(dir)).toEqual([]);
  });

  it("is held by one process, which the error names, until it is released", () => {
    const unlock = lock();
    expect(lock).toThrow(
      `the data directory ${dir} is already open in process ${process.pid}: stop that process, or choose another folder`,
    );
    unlock();
    lock()();
  });

  it("makes the folder of an earlier release private", () => {
    prepare();
    chmodSync(dir, 0o755);
    lock()();
    expect(statSync(dir).mode & 0o077).toBe(0);
  });

  it("does not report its own process as another one", () => {
    const unlock = lock();
    expect(openedBy(dataDirectory(dir))).toBeUndefined();
    unlock();
    writeFileSync(join(dir, "lock"), JSON.stringify({ pid: process.ppid }));
    expect(openedBy(dataDirectory(dir))).toBe(process.ppid);
  });
});
