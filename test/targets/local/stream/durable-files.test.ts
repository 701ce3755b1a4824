import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openCheckpoints } from "../../../../targets/local/event-source-mapping/checkpoints.ts";
import { openAppendFile, StorageUncertain, replaceFile } from "../../../../targets/local/stream/durable-files.ts";
import { openStreamLog } from "../../../../targets/local/stream/stream-log.ts";

type Method = "appendFile" | "datasync" | "truncate" | "writeFile";

let dir: string;
/** The prototype of all open files: its calls go through to the disk and are recorded. */
let handles: FileHandle;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "durable-"));
  const file = await open(join(dir, "any"), "w");
  handles = Object.getPrototypeOf(file) as FileHandle;
  await file.close();
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

const failing = (method: Method, code: string) =>
  vi.spyOn(handles, method).mockRejectedValueOnce(Object.assign(new Error(`${code}: no`), { code }));

/** Records the calls of these methods as each completes. */
function watch(...methods: Method[]): string[] {
  const done: string[] = [];
  for (const method of methods) {
    const real = handles[method] as (...parameters: unknown[]) => Promise<void>;
    vi.spyOn(handles, method).mockImplementation(async function (this: FileHandle, ...parameters: unknown[]) {
      await real.apply(this, parameters);
      done.push(method);
    });
  }
  return done;
}

describe("the stream log", () => {
  const put = (text: string) => ({ partitionKey: "a", data: Buffer.from(text) });

  it("acknowledges a put after its bytes are written and synced to disk", async () => {
    const stream = await openStreamLog({ dir: join(dir, "stream"), shards: 1 });
    const done = watch("appendFile", "datasync");
    await stream.putRecords([put("x")]).then(() => done.push("answered"));
    expect(done).toEqual(["appendFile", "datasync", "answered"]);
    await stream.close();
  });

  it("rejects every put after a failed sync, until it is reopened and checked", async () => {
    const folder = { dir: join(dir, "stream"), shards: 1 };
    const stream = await openStreamLog(folder);
    await stream.putRecords([put("kept")]);
    failing("datasync", "EIO");
    for (const text of ["lost or not", "rejected"]) {
      const rejection = expect.stringContaining("the disk failed");
      expect(await stream.putRecords([put(text)])).toMatchObject([{ errorMessage: rejection }]);
    }
    await stream.close();
    const again = await openStreamLog(folder);
    await again.putRecords([put("taken")]);
    const shard = again.shards()[0]!.id;
    const texts = (await again.read({ shard, limit: 9, maxBytes: 999 })).map(({ data }) =>
      Buffer.from(data).toString(),
    );
    expect(texts.filter((text) => text !== "lost or not")).toEqual(["kept", "taken"]);
    await again.close();
  });

  it("keeps a segment intact if rewriting it fails halfway", async () => {
    const folder = { dir: join(dir, "stream"), shards: 1 };
    const stream = await openStreamLog(folder);
    const [sent] = await stream.putRecords([put("before")]);
    const shard = stream.shards()[0]!.id;
    const { sequenceNumber } = sent as { sequenceNumber: string };
    const change = [{ ...put("behind"), shard, sequenceNumber, arrivedAt: 0 }];
    failing("writeFile", "ENOSPC");
    await expect(stream.replace(change)).rejects.toThrow("ENOSPC");
    vi.restoreAllMocks();
    const done = watch("writeFile", "datasync");
    const data = async () => Buffer.from((await stream.read({ shard, limit: 1, maxBytes: 99 }))[0]!.data).toString();
    expect(await data()).toBe("before");
    await stream.replace(change);
    expect(await data()).toBe("behind");
    expect(done).toEqual(["writeFile", "datasync"]);
    await stream.close();
  });
});

describe("an append-only file", () => {
  it("reports uncertain storage after a failed sync", async () => {
    const file = await openAppendFile(join(dir, "log"), 0);
    failing("datasync", "EIO");
    await expect(file.append(Buffer.from("a"))).rejects.toThrow(StorageUncertain);
    await expect(file.append(Buffer.from("b"))).rejects.toThrow(StorageUncertain);
    await file.close();
  });

  it("reports uncertain storage if a partial write cannot be truncated", async () => {
    const file = await openAppendFile(join(dir, "log"), 0);
    failing("appendFile", "ENOSPC");
    failing("truncate", "EIO");
    await expect(file.append(Buffer.from("a"))).rejects.toThrow(StorageUncertain);
    await expect(file.append(Buffer.from("b"))).rejects.toThrow(StorageUncertain);
    await file.close();
  });

  it("is truncated to its valid bytes when it is opened", async () => {
    const path = join(dir, "log");
    writeFileSync(path, "goodtorn");
    const file = await openAppendFile(path, 4);
    await file.append(Buffer.from("more"));
    await file.close();
    expect(readFileSync(path, "utf8")).toBe("goodmore");
  });
});

describe("a file that is replaced", () => {
  it("keeps its old content if the new content cannot be written completely", async () => {
    const path = join(dir, "map.json");
    await replaceFile(path, "old");
    failing("writeFile", "ENOSPC");
    await expect(replaceFile(path, "new")).rejects.toThrow("ENOSPC");
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  it("is synced to disk before it replaces the old one", async () => {
    const path = join(dir, "map.json");
    await replaceFile(path, "old");
    failing("datasync", "EIO");
    await expect(replaceFile(path, "new")).rejects.toThrow("EIO");
    expect(readFileSync(path, "utf8")).toBe("old");
  });
});

describe("a checkpoint", () => {
  it("takes effect once its file is written", async () => {
    const checkpoints = openCheckpoints(join(dir, "checkpoints"));
    await checkpoints.save("shard", "1");
    failing("writeFile", "ENOSPC");
    await expect(checkpoints.save("shard", "2")).rejects.toThrow("ENOSPC");
    expect(checkpoints.get("shard")).toBe("1");
    expect(openCheckpoints(join(dir, "checkpoints")).get("shard")).toBe("1");
  });

  it.each(['{"sequenceNumber": "12x"}', '{"sequenceNumber": 12}', "{}", "12"])(
    "that contains %s is discarded",
    (text) => {
      openCheckpoints(dir);
      writeFileSync(join(dir, "shard.json"), text);
      expect(openCheckpoints(dir).all()).toEqual({});
    },
  );
});
