import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { newS3Client, openS3Eraser, openS3Store } from "../../adapters/s3.ts";
import { testAccess } from "../support/aws-access.ts";
import { startS3Server, type S3Server } from "../support/s3-server.ts";
import { bytes } from "./object-store-contract.ts";

let root: string;
let server: S3Server;
let client: ReturnType<typeof newS3Client>;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "s3-eraser-"));
  server = await startS3Server({ root });
  client = newS3Client({ endpoint: server.url, ...testAccess });
});
afterEach(async () => {
  client.destroy();
  await server.close();
  rmSync(root, { recursive: true });
});

async function versions(): Promise<string[]> {
  const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: "lake" }));
  return [...Versions, ...DeleteMarkers].map(({ Key }) => Key!);
}

it("the eraser deletes an object with all its versions, but no object whose key only starts the same", async () => {
  const store = openS3Store({ bucket: "lake", client });
  for (const text of ["one", "two"]) await store.put("a/b", bytes(text));
  await store.delete("a/b");
  await store.put("a/b", bytes("three"));
  await store.put("a/bc", bytes("other"));
  expect(await versions()).toHaveLength(5);
  const eraser = openS3Eraser({ bucket: "lake", client });
  await eraser.erase("a/b");
  expect(await versions()).toEqual(["a/bc"]);
  expect(await store.get("a/b")).toBeUndefined();
  expect(Buffer.from((await store.get("a/bc"))!)).toEqual(Buffer.from("other"));
  await eraser.erase("a/b");
  await eraser.erase("never/was");
});

it("the eraser deletes the versions of an object that was already deleted", async () => {
  const store = openS3Store({ bucket: "lake", client });
  await store.put("a", bytes("one"));
  await store.delete("a");
  await openS3Eraser({ bucket: "lake", client }).erase("a");
  expect(await versions()).toEqual([]);
});

it("the eraser deletes every version, however many pages there are", async () => {
  const paged = await startS3Server({ root, pageSize: 2 });
  const api = newS3Client({ endpoint: paged.url, ...testAccess });
  const store = openS3Store({ bucket: "lake", client: api });
  for (const text of ["one", "two", "three", "four", "five"]) await store.put("a", bytes(text));
  await openS3Eraser({ bucket: "lake", client: api }).erase("a");
  expect(await api.send(new ListObjectVersionsCommand({ Bucket: "lake" }))).not.toHaveProperty("Versions");
  api.destroy();
  await paged.close();
});

it("the eraser reports what it could not delete", async () => {
  const unreachable = newS3Client({ endpoint: "http://127.0.0.1:9", ...testAccess });
  await expect(openS3Eraser({ bucket: "lake", client: unreachable }).erase("a")).rejects.toThrow(
    "S3 bucket lake: could not erase a: S3 does not answer",
  );
});
