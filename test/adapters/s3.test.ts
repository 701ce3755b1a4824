import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { newS3Client, openS3Store } from "../../adapters/s3.ts";
import type { ObjectStore } from "../../pipeline/ports.ts";
import { testAccess } from "../support/aws-access.ts";
import { startS3Server, type S3Server } from "../support/s3-server.ts";
import { bytes, keepsTheContract, keysOf, textOf } from "./object-store-contract.ts";

/** Sends other bytes of the same length than the store was given. */
function spoilUploads(client: ReturnType<typeof newS3Client>): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args as { request?: { method: string; body: Uint8Array } };
      if (request?.method === "PUT") request.body = bytes("two");
      return next(args);
    },
    { step: "finalizeRequest", priority: "low" },
  );
}

describe("an S3 store", () => {
  let root: string;
  let server: S3Server;
  let client: ReturnType<typeof newS3Client>;
  let store: ObjectStore;
  let buckets = 0;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "s3-store-"));
    server = await startS3Server({ root, pageSize: 3 });
    client = newS3Client({ endpoint: server.url, ...testAccess });
    store = openS3Store({ bucket: "lake", client });
  });
  afterEach(async () => {
    client.destroy();
    await server.close();
    rmSync(root, { recursive: true });
  });

  keepsTheContract({
    open: () => openS3Store({ bucket: "lake", client }),
    openEmpty: () => openS3Store({ bucket: `empty-${++buckets}`, client }),
  });

  it("reads listings page by page", async () => {
    for (const key of ["1", "2", "3", "4", "5", "6", "7"]) await server.bucket("lake").put(`a/${key}`, bytes(key));
    expect(keysOf(await store.list("a/", { startAfter: "a/1" }))).toEqual(["a/2", "a/3", "a/4", "a/5", "a/6", "a/7"]);
    expect(server.requests.filter((request) => request.includes("list-type"))).toHaveLength(2);
    expect(await store.list("a/")).toHaveLength(7);
  });

  it("does not request a listing of a prefix that no key can have, because some servers reject it", async () => {
    for (const prefix of ["/", "a//", "../", ".tmp/"]) expect(await store.list(prefix)).toEqual([]);
    expect(server.requests).toEqual([]);
  });

  it("has at most 32 requests in flight, and sends each of hundreds, also after some have failed", async () => {
    const inFlight = { now: 0, most: 0 };
    client.middlewareStack.add(
      (next) => async (args) => {
        inFlight.most = Math.max(inFlight.most, ++inFlight.now);
        try {
          return await next(args);
        } finally {
          inFlight.now -= 1;
        }
      },
      { step: "initialize" },
    );
    server.faults.push({ on: "PUT", kind: "denied", times: 3 });
    const keys = Array.from({ length: 200 }, (_, n) => `many/${String(n).padStart(3, "0")}`);
    const results = await Promise.allSettled(keys.map((key) => store.put(key, bytes(key))));
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(3);
    expect(await store.list("many/")).toHaveLength(197);
    expect(inFlight).toEqual({ now: 0, most: 32 });
  });

  it("omits the folder markers that a console creates", async () => {
    await store.put("a/1", bytes("1"));
    server.faults.push({ on: "LIST", kind: "folder mark" });
    expect(keysOf(await store.list("a/"))).toEqual(["a/1"]);
  });

  it.each(["slow down", "internal error", "reset"] as const)("retries every operation after %s", async (kind) => {
    for (const on of ["PUT", "GET", "LIST", "DELETE"] as const) server.faults.push({ on, kind });
    expect(await store.put("key", bytes("one"), { ifAbsent: true })).toBe(true);
    expect(textOf(await store.get("key"))).toBe("one");
    expect(keysOf(await store.list(""))).toEqual(["key"]);
    await store.delete("key");
    expect(await store.get("key")).toBeUndefined();
    expect(server.faults).toEqual([]);
  });

  it.each(["lost answer", "error body", "empty answer"] as const)(
    "returns false and has the object if its own put-if-absent ended in %s",
    async (kind) => {
      server.faults.push({ on: "PUT", kind });
      expect(await store.put("key", bytes("one"), { ifAbsent: true })).toBe(false);
      expect(textOf(await store.get("key"))).toBe("one");
      server.faults.push({ on: "PUT", kind });
      expect(await store.put("key", bytes("two"))).toBe(true);
      expect(textOf(await store.get("key"))).toBe("two");
    },
  );

  it("retries after a conflict, and finally fails with an error that names the key", async () => {
    server.faults.push({ on: "PUT", kind: "conflict", times: 3 });
    expect(await store.put("key", bytes("one"), { ifAbsent: true })).toBe(true);
    server.faults.push({ on: "PUT", kind: "conflict", times: 100 });
    await expect(store.put("key", bytes("two"), { ifAbsent: true })).rejects.toThrow(
      "S3 bucket lake: could not write key: other writers keep writing this key: try again",
    );
  });

  it.each(["cut short", "flipped bit", "empty answer"] as const)(
    "never returns a body that is %s as the object",
    async (kind) => {
      const body = bytes("0123456789".repeat(5000));
      await server.bucket("lake").put("key", body);
      server.faults.push({ on: "GET", kind });
      expect(Buffer.compare((await store.get("key"))!, body)).toBe(0);
      server.faults.push({ on: "GET", kind, times: 100 });
      await expect(store.get("key")).rejects.toThrow(/^S3 bucket lake: could not read key: /);
    },
  );

  it.each(["error body", "empty answer"] as const)("never treats %s as an empty listing", async (kind) => {
    await store.put("key", bytes("one"));
    server.faults.push({ on: "LIST", kind, times: 100 });
    await expect(store.list("k")).rejects.toThrow(/^S3 bucket lake: could not list k: /);
  });

  it("sends a checksum that S3 verifies", async () => {
    spoilUploads(client);
    await expect(store.put("key", bytes("one"))).rejects.toThrow("S3 bucket lake: could not write key: BadDigest");
    expect(await store.get("key")).toBeUndefined();
  });

  it("verifies checksums both ways, whatever the SDK's environment variables say", async () => {
    const lazy = { requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" } as const;
    const unchecked = newS3Client({ endpoint: server.url, ...testAccess, ...lazy });
    const careful = openS3Store({ bucket: "lake", client: unchecked });
    await careful.put("key", bytes("one"));
    server.faults.push({ on: "GET", kind: "flipped bit" });
    expect(textOf(await careful.get("key"))).toBe("one");
    spoilUploads(unchecked);
    await expect(careful.put("key", bytes("one"))).rejects.toThrow("BadDigest");
    unchecked.destroy();
  });

  it("names the missing permission, and never treats denied access as a missing object", async () => {
    const denied = (on: "GET" | "PUT" | "LIST" | "DELETE") => server.faults.push({ on, kind: "denied" });
    denied("GET");
    await expect(store.get("key")).rejects.toThrow(
      /^S3 bucket lake: could not read key: access is denied: the role needs s3:GetObject .* s3:ListBucket/,
    );
    denied("PUT");
    await expect(store.put("key", bytes("1"), { ifAbsent: true })).rejects.toThrow("needs s3:PutObject");
    denied("LIST");
    await expect(store.list("bronze/")).rejects.toThrow(
      "could not list bronze/: access is denied: the role needs s3:L",
    );
    denied("DELETE");
    await expect(store.delete("key")).rejects.toThrow("needs s3:DeleteObject");
  });

  it("does not treat a missing bucket as an empty one", async () => {
    server.faults.push({ on: "GET", kind: "no bucket" });
    await expect(store.get("key")).rejects.toThrow("the bucket does not exist: take its name from the stack outputs");
  });

  it("reads its endpoint from the environment, and puts the bucket in the path", async () => {
    vi.stubEnv("AWS_ENDPOINT_URL_S3", server.url);
    vi.stubEnv("AWS_REGION", testAccess.region);
    vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
    await openS3Store({ bucket: "elsewhere" }).put("key", bytes("one"));
    vi.unstubAllEnvs();
    expect(textOf(await server.bucket("elsewhere").get("key"))).toBe("one");
  });

  it("reports an unreachable endpoint and keeps the cause", async () => {
    const nobody = newS3Client({ endpoint: "http://127.0.0.1:1", maxAttempts: 1, ...testAccess });
    const failure = await openS3Store({ bucket: "lake", client: nobody })
      .list("")
      .catch((error: unknown) => error);
    expect(String(failure)).toMatch(/S3 bucket lake: could not list : S3 does not answer: check AWS_ENDPOINT_URL_S3/);
    expect(failure).toHaveProperty("cause.code", "ECONNREFUSED");
  });
});
