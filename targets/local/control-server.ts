import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { operations, type Access, type OperationName, type Pipeline } from "../operations.ts";
import { usedPort } from "./machine.ts";

/** One method over HTTP: `POST /<name>` with a JSON object, answered by `{ "result": … }` or `{ "error": … }`. */
interface Method {
  access: Access;
  parameters: z.ZodType;
  call(given: unknown, signal: AbortSignal): Promise<unknown>;
}

/** Bytes of one request; a full PutRecords call is 5 MiB, a third more in base64. */
const mostBytes = 16 * 1024 * 1024;
const none = z.strictObject({});

/**
 * Serves the operations of a pipeline to other processes of this machine: on 127.0.0.1 only, and only with the token in
 * `home.json`. Beside them, `operations` describes every method and `stop` ends the process.
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

function methodsOf(pipeline: Pipeline, onStop: () => void): ReadonlyMap<string, Method> {
  const methods = new Map<string, Method>();
  for (const [name, { access, parameters }] of Object.entries(operations)) {
    const call: Method["call"] = (given, signal) => (pipeline[name as OperationName] as Method["call"])(given, signal);
    methods.set(name, { access, parameters, call });
  }
  methods.set("stop", { access: "changes", parameters: none, call: async () => void setImmediate(onStop) });
  methods.set("operations", { access: "reads", parameters: none, call: async () => describe(methods) });
  return methods;
}

/** Every method with its class and the JSON Schema of its parameters. */
function describe(methods: ReadonlyMap<string, Method>) {
  return [...methods].map(([name, { access, parameters }]) => ({
    name,
    access,
    parameters: z.toJSONSchema(parameters, { io: "input" }),
  }));
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { methods, token }: { methods: ReadonlyMap<string, Method>; token: string },
) {
  const reply = (status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" });
    // Counts of the lake come as bigint.
    response.end(JSON.stringify(body, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
  };
  try {
    if (!isAllowed(request, token)) return reply(401, { error: { message: "the token is missing or wrong" } });
    const method = methods.get((request.url ?? "/").slice(1));
    if (request.method !== "POST" || method === undefined) {
      return reply(404, { error: { message: `the pipeline has no method ${request.method} ${request.url}` } });
    }
    const given = method.parameters.safeParse(JSON.parse((await readBody(request)) || "{}"));
    if (!given.success) return reply(400, { error: { message: mistakes(request.url, given.error) } });
    reply(200, { result: (await method.call(given.data, signalOf(response))) ?? null });
  } catch (error) {
    reply(500, { error: { message: (error as Error).message } });
  }
}

/** Aborted once nobody waits for the answer any more. */
function signalOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(new Error("the request was cancelled"));
  });
  return gone.signal;
}

function mistakes(url: string | undefined, { issues }: z.ZodError): string {
  const all = issues.map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message));
  return `parameters of ${url}: ${all.join("; ")}`;
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
