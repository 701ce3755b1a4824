import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { OutgoingRecord } from "../../../pipeline/ports.ts";
import { operations, type Pipeline } from "../../../targets/operations.ts";
import { connectPipeline } from "../../../targets/local/control-client.ts";
import { startControlServer } from "../../../targets/local/control-server.ts";
import { dataDirectory, prepareDataDirectory, writePipelineRecord } from "../../../targets/local/data-directory.ts";

const folder = dataDirectory(mkdtempSync(join(tmpdir(), "pizza-control-")));
const received: OutgoingRecord[] = [];
/** A query that nobody answers: when it has come, and the reason for which it ends. */
const [asked, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<unknown>()];
/** A pipeline with only the methods that these tests call. */
const pipeline = {
  openShards: async () => 3,
  putRecords: async ({ records }: { records: OutgoingRecord[] }) => {
    received.push(...records);
    return records.map(() => ({ shard: "s", sequenceNumber: "1" }));
  },
  query: async ({ sql }: { sql: string }, signal: AbortSignal) => {
    if (sql !== "endless") return [{ count: 2n ** 60n }];
    asked.resolve();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    gone.resolve(signal.reason);
    throw signal.reason;
  },
  run: async () => Promise.reject(new Error("workflow x is not known")),
} as unknown as Pipeline;

let server: Awaited<ReturnType<typeof startControlServer>>;

beforeAll(async () => {
  server = await startControlServer(pipeline, { port: 0, token: "secret", onStop: () => {} });
  const record = prepareDataDirectory(folder, "start");
  writePipelineRecord(folder, {
    ...record,
    process: { pid: process.pid, port: server.port, token: "secret", startedAt: "" },
  });
});

afterAll(async () => {
  await server.close();
  rmSync(folder.root, { recursive: true });
});

it("the server receives records byte for byte", async () => {
  const data = Uint8Array.from({ length: 256 }, (_, i) => i);
  const results = await connectPipeline(folder).sink.putRecords([{ partitionKey: "k", explicitHashKey: "7", data }]);
  expect(results).toEqual([{ shard: "s", sequenceNumber: "1" }]);
  expect(received).toEqual([{ partitionKey: "k", explicitHashKey: "7", data: Buffer.from(data) }]);
});

it("the server returns the pipeline's results and errors unchanged, except that big integers are text", async () => {
  const client = connectPipeline(folder);
  expect(await client.sink.openShards()).toBe(3);
  expect(await client.query({ sql: "select 1", lake: true })).toEqual([{ count: String(2n ** 60n) }]);
  await expect(client.run({ workflow: "x" })).rejects.toThrow("workflow x is not known");
});

it.each([
  ["no token", {}],
  ["a wrong token", { authorization: "Bearer secreT" }],
])("the server rejects a request with %s", async (_, headers) => {
  const response = await fetch(`http://127.0.0.1:${server.port}/openShards`, { method: "POST", headers });
  expect(response.status).toBe(401);
});

it("the server responds with 404 to an unknown method, and to anything but POST", async () => {
  const headers = { authorization: "Bearer secret" };
  expect((await fetch(`http://127.0.0.1:${server.port}/constructor`, { method: "POST", headers })).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${server.port}/openShards`, { headers })).status).toBe(404);
});

const post = async (method: string, body: object) => {
  const headers = { authorization: "Bearer secret" };
  const request = { method: "POST", headers, body: JSON.stringify(body) };
  const response = await fetch(`http://127.0.0.1:${server.port}/${method}`, request);
  return {
    status: response.status,
    answer: (await response.json()) as { error: { message: string }; result: unknown },
  };
};

it.each([
  ["query", { sql: 1 }, "sql: "],
  ["query", { sql: "select 1", lake: "yes" }, "lake: "],
  ["query", { sql: "select 1", versoin: 3 }, "versoin"],
  ["explain", { table: "hourly_trends", key: "2015-01-01", lines: 5 }, "key: "],
  ["rebuild", { from: "2015-02-30", to: "2015-03-01", source: "bronze", isDryRun: true }, "from: "],
  ["drain", { now: true }, "now"],
])("the server rejects parameters of %s that violate its schema: %j", async (method, given, mistake) => {
  const { status, answer } = await post(method, given);
  expect(status).toBe(400);
  expect(answer.error.message).toContain(`parameters of /${method}: `);
  expect(answer.error.message).toContain(mistake);
});

it("the server describes every method with its access class and its parameters' schema", async () => {
  const { result } = (await post("operations", {})).answer as { result: { name: string; access: string }[] };
  const byAccess = Object.groupBy(result, ({ access }) => access);
  const names = (access: string) => byAccess[access]!.map(({ name }) => name).toSorted();
  expect(names("secret")).toEqual(["credentials", "personalEvent"]);
  expect(names("changes")).toEqual([
    "bringBack",
    "drain",
    "drill",
    "forget",
    "putRecords",
    "rebuild",
    "resend",
    "run",
    "stop",
  ]);
  expect(result.find(({ name }) => name === "trace")).toMatchObject({
    access: "reads",
    parameters: { type: "object", properties: { orderId: { type: "string" } }, required: ["orderId"] },
  });
  expect(names("reads")).toEqual(
    Object.keys(operations)
      .concat("operations")
      .filter((name) => !["changes", "secret"].some((access) => names(access).includes(name)))
      .toSorted(),
  );
});

it("notifies an operation when its caller has disconnected, but not after it has responded", async () => {
  const request = new AbortController();
  const answer = fetch(`http://127.0.0.1:${server.port}/query`, {
    method: "POST",
    headers: { authorization: "Bearer secret" },
    body: JSON.stringify({ sql: "endless" }),
    signal: request.signal,
  });
  await asked.promise;
  request.abort();
  await expect(answer).rejects.toThrow("aborted");
  expect(await gone.promise).toMatchObject({ message: "the request was cancelled" });
  expect(await connectPipeline(folder).query({ sql: "select 1" })).toHaveLength(1);
});

it("the client says how to start a pipeline that is not running", async () => {
  const elsewhere = dataDirectory(mkdtempSync(join(tmpdir(), "pizza-control-")));
  await expect(connectPipeline(elsewhere).status()).rejects.toThrow("start it with ./pizza start");
  rmSync(elsewhere.root, { recursive: true });
});
