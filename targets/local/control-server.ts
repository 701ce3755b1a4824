import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ExplainRequest } from "../../pipeline/explain/explain-row.ts";
import type { OutgoingRecord } from "../../pipeline/ports.ts";
import type { RebuildRequest } from "../../pipeline/rebuild/rebuild.ts";
import type { Pipeline } from "../pipeline-api.ts";
import { runningProcess, type DataDirectory } from "./data-directory.ts";
import { usedPort } from "./machine.ts";

/** One call over HTTP: `POST /<method>` with a JSON body, answered by `{ "result": … }` or `{ "error": … }`. */
type Methods = Record<string, (body: never) => Promise<unknown>>;

/** Bytes of one request; a full PutRecords call is 5 MiB, a third more in base64. */
const mostBytes = 16 * 1024 * 1024;

/**
 * Lets other processes of this machine use the home: 127.0.0.1 only, and only with the token that stands in `home.json`.
 */
export async function startControlServer(
  pipeline: Pipeline,
  { port, token, onStop }: { port: number; token: string; onStop: () => void },
): Promise<{ port: number; close(): Promise<void> }> {
  const methods = methodsOf(pipeline, onStop);
  const server = createServer((request, response) => void respond(request, response, { methods, token }));
  server.keepAliveTimeout = 60_000;
  await listen(server, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function methodsOf(pipeline: Pipeline, onStop: () => void): Methods {
  return {
    putRecords: ({ records }: { records: WireRecord[] }) => pipeline.sink.putRecords(records.map(fromWire)),
    openShards: () => pipeline.sink.openShards(),
    status: () => pipeline.status(),
    run: ({ workflow }: { workflow: string }) => pipeline.run(workflow),
    drain: () => pipeline.drain(),
    verify: () => pipeline.verify(),
    rejected: () => pipeline.rejected(),
    heldOrders: ({ orderIds }: { orderIds: string[] }) => pipeline.heldOrders(orderIds),
    forget: ({ customerId }: { customerId: string }) => pipeline.forget(customerId),
    trace: ({ orderId }: { orderId: string }) => pipeline.trace(orderId),
    explain: (request: ExplainRequest) => pipeline.explain(request),
    corrections: (asked: { since: string }) => pipeline.corrections(asked),
    quality: (options: { rule?: string }) => pipeline.quality(options),
    profile: () => pipeline.profile(),
    query: ({ sql, ...options }: { sql: string; lake: boolean; version?: number }) => pipeline.query(sql, options),
    credentials: () => pipeline.credentials(),
    backups: () => pipeline.backups(),
    rebuild: (request: RebuildRequest) => pipeline.rebuild(request),
    stop: async () => void setImmediate(onStop),
  };
}

/** A record as JSON carries it. */
export interface WireRecord {
  partitionKey: string;
  explicitHashKey?: string;
  /** base64 */
  data: string;
}

function fromWire({ data, ...keys }: WireRecord): OutgoingRecord {
  return { ...keys, data: Buffer.from(data, "base64") };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { methods, token }: { methods: Methods; token: string },
) {
  const reply = (status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" });
    // Counts of the lake come as bigint.
    response.end(JSON.stringify(body, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
  };
  try {
    if (!isAllowed(request, token)) return reply(401, { error: { message: "the home's token is missing or wrong" } });
    const name = (request.url ?? "/").slice(1);
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (request.method !== "POST" || method === undefined) {
      return reply(404, { error: { message: `the home has no method ${request.url}` } });
    }
    const body = JSON.parse((await readBody(request)) || "{}") as never;
    reply(200, { result: (await method(body)) ?? null });
  } catch (error) {
    reply(500, { error: { message: (error as Error).message } });
  }
}

function isAllowed({ headers }: IncomingMessage, token: string): boolean {
  const [given, wanted] = [Buffer.from(headers.authorization ?? ""), Buffer.from(`Bearer ${token}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error(`request of more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(cause.code === "EADDRINUSE" ? usedPort(port, "--port", cause) : cause);
    });
    server.listen(port, "127.0.0.1", () => resolve());
  });
}

/**
 * A home that runs in another process of this machine, reached through its control server. Every call looks up where the
 * home is now: after a restart the next one finds it again.
 */
export function connectPipeline(folder: DataDirectory): Pipeline & { stop(): Promise<void> } {
  async function call<Result>(method: string, body: unknown = {}): Promise<Result> {
    const running = runningProcess(folder);
    if (running === undefined) throw new Error(`no home runs in ${folder.root}: start it with ./pizza start`);
    const headers = { authorization: `Bearer ${running.token}`, "content-type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${running.port}/${method}`, request).catch((cause: Error) => {
      throw new Error(`the home in process ${running.pid} does not answer on port ${running.port}: see ./pizza logs`, {
        cause,
      });
    });
    const answer = (await response.json()) as { result: Result } | { error: { message: string } };
    if ("error" in answer) throw new Error(answer.error.message);
    return answer.result;
  }

  return {
    sink: {
      putRecords: (records) => call("putRecords", { records: records.map(toWire) }),
      openShards: () => call("openShards"),
    },
    status: () => call("status"),
    run: (workflow) => call("run", { workflow }),
    drain: () => call("drain"),
    verify: () => call("verify"),
    rejected: () => call("refused"),
    heldOrders: (orderIds) => call("heldOrders", { orderIds }),
    forget: (customerId) => call("forget", { customerId }),
    trace: (orderId) => call("trace", { orderId }),
    explain: (request) => call("explain", request),
    corrections: (asked) => call("corrections", asked),
    quality: (options) => call("quality", options),
    profile: () => call("profile"),
    query: (sql, options) => call("query", { sql, ...options }),
    credentials: () => call("credentials"),
    backups: () => call("backups"),
    rebuild: (request) => call("rebuild", request),
    stop: () => call("stop"),
    close: async () => {},
  };
}

function toWire({ data, ...keys }: OutgoingRecord) {
  return { ...keys, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64") };
}
