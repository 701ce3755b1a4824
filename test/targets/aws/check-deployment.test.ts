import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newS3Client, openS3Store } from "../../../adapters/s3.ts";
import { checkPutIfAbsent } from "../../../targets/aws/check-deployment.ts";
import { testAccess } from "../../support/aws-access.ts";
import { startS3Server, type S3Server } from "../../support/s3-server.ts";

let root: string;
let server: S3Server;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "check-store-"));
});
afterEach(async () => {
  await server.close();
  rmSync(root, { recursive: true });
});

const check = async () => {
  const client = newS3Client({ endpoint: server.url, ...testAccess });
  try {
    return await checkPutIfAbsent("lake", openS3Store({ bucket: "lake", client }));
  } finally {
    client.destroy();
  }
};

test("a store that honours put-if-absent passes the check, which leaves no objects behind", async () => {
  server = await startS3Server({ root });
  expect(await check()).toBe("lake creates each object once");
  expect(await server.bucket("lake").list("")).toEqual([]);
});

test("a store that ignores the condition is rejected, with the consequence for the orders", async () => {
  server = await startS3Server({ root, ignoresConditions: true });
  await expect(check()).rejects.toThrow(
    /^lake ignores If-None-Match .* the orders of the first would be lost silently; use a store that supports conditional/,
  );
  expect(await server.bucket("lake").list("")).toEqual([]);
});

test("a store that rejects only every other write is rejected too", async () => {
  server = await startS3Server({ root });
  const honest = openS3Store({ bucket: "lake", client: newS3Client({ endpoint: server.url, ...testAccess }) });
  // Rejects the write but stores it anyway.
  const liar: typeof honest = {
    ...honest,
    put: async (key, body, options) => {
      const created = await honest.put(key, body, options);
      if (!created) await honest.put(key, body);
      return created;
    },
  };
  await expect(checkPutIfAbsent("lake", liar)).rejects.toThrow("lake ignores If-None-Match");
});

test("a missing write permission is reported with what the role needs", async () => {
  server = await startS3Server({ root });
  server.faults.push({ on: "PUT", kind: "denied", times: 9 });
  await expect(check()).rejects.toThrow(/could not write doctor\/.*: access is denied: the role needs s3:PutObject/);
});

test("the command line checks any bucket at any endpoint; exit code 1 if it cannot hold a lake", async () => {
  server = await startS3Server({ root, ignoresConditions: true });
  const script = new URL("../../../bin/pizza.ts", import.meta.url).pathname;
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL_S3: server.url,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  };
  const { code, stdout } = await new Promise<{ code: unknown; stdout: string }>((resolve) => {
    const args = [script, "doctor", "--bucket", "lake", "--json"];
    execFile(process.execPath, args, { env }, (error, output) => resolve({ code: error?.code ?? 0, stdout: output }));
  });
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual([
    { check: "store", ok: false, found: expect.stringContaining("lake ignores If-None-Match") },
  ]);
});
