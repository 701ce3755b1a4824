import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { timingSafeEqual } from "node:crypto";
import type { AddressInfo } from "node:net";
import type { ExplainRequest } from "../lambdas/explain/explain-row.ts";
import type { OutgoingRecord } from "../lambdas/ports.ts";
import type { RebuildRequest } from "../lambdas/rebuild/rebuild.ts";
import type { Home } from "./home-api.ts";
import { usedPort } from "./ports.ts";

/** One call over HTTP: `POST /<method>` with a JSON body, answered by `{ "result": … }` or `{ "error": … }`. */
type Methods = Record<string, (body: never) => Promise<unknown>>;

/** Bytes of one request; a full PutRecords call is 5 MiB, a third more in base64. */
const mostBytes = 16 * 1024 * 1024;

/**
 * Lets other processes of this machine use the home: 127.0.0.1 only, and only with the token that stands in `home.json`.
 */
export async function startControlServer(
  home: Home,
  { port, token, onStop }: { port: number; token: string; onStop: () => void },
): Promise<{ port: number; close(): Promise<void> }> {
  const methods = methodsOf(home, onStop);
  const server = createServer((request, response) => void answer(request, response, { methods, token }));
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

function methodsOf(home: Home, onStop: () => void): Methods {
  return {
    putRecords: ({ records }: { records: WireRecord[] }) => home.sink.putRecords(records.map(fromWire)),
    openShards: () => home.sink.openShards(),
    status: () => home.status(),
    run: ({ workflow }: { workflow: string }) => home.run(workflow),
    drain: () => home.drain(),
    verify: () => home.verify(),
    refused: () => home.refused(),
    heldOrders: ({ orderIds }: { orderIds: string[] }) => home.heldOrders(orderIds),
    forget: ({ customerId }: { customerId: string }) => home.forget(customerId),
    trace: ({ orderId }: { orderId: string }) => home.trace(orderId),
    explain: (request: ExplainRequest) => home.explain(request),
    corrections: (asked: { since: string }) => home.corrections(asked),
    quality: (options: { rule?: string }) => home.quality(options),
    profile: () => home.profile(),
    query: ({ sql, ...options }: { sql: string; lake: boolean; version?: number }) => home.query(sql, options),
    credentials: () => home.credentials(),
    backups: () => home.backups(),
    rebuild: (request: RebuildRequest) => home.rebuild(request),
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

async function answer(
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
