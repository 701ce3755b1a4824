import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { operations, type Access, type OperationName, type Pipeline } from "../operations.ts";
import { createConsole, type ConsoleFiles } from "./console-server.ts";
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
 * `home.json`. Beside them, `operations` describes every method and `stop` ends the process. With `consoleFiles` it also
 * serves the console under `/console/`, and the method `console` returns the page's path with a one-time token.
 *
 * A request whose Host header does not name this machine is rejected before anything else: a page of another site could
 * otherwise reach the server under its own name (DNS rebinding).
 */
export async function startControlServer(
  pipeline: Pipeline,
  {
    port,
    token,
    onStop,
    consoleFiles,
    onLog = () => {},
  }: {
    port: number;
    token: string;
    onStop: () => void;
    consoleFiles?: () => Promise<ConsoleFiles>;
    onLog?: (line: string) => void;
  },
): Promise<{ port: number; close(): Promise<void> }> {
  const methods = methodsOf(pipeline, onStop);
  const parse = (name: string, given: unknown) => {
    const method = Object.hasOwn(operations, name) ? methods.get(name) : undefined;
    return method && { ...method, given: parseParameters(method, `/${name}`, given) };
  };
  const page = consoleFiles && createConsole({ pipeline, files: consoleFiles, parse, onLog });
  if (page !== undefined) {
    methods.set("console", { access: "secret", parameters: none, call: async () => page.address() });
  }
  const server = createServer((request, response) => void respond(request, response, { methods, token, page }));
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

function methodsOf(pipeline: Pipeline, onStop: () => void): Map<string, Method> {
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
  {
    methods,
    token,
    page,
  }: { methods: ReadonlyMap<string, Method>; token: string; page: ReturnType<typeof createConsole> | undefined },
) {
  const reply = (status: number, body: unknown): void => {
    if (response.headersSent) return void response.end();
    response.writeHead(status, { "content-type": "application/json" });
    // Counts of the lake come as bigint.
    response.end(JSON.stringify(body, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
  };
  try {
    const host = request.headers.host ?? "";
    if (!isThisMachine(host, request)) return reply(403, { error: { message: `${host} is not this pipeline` } });
    const path = (request.url ?? "/").split("?")[0]!;
    if (page !== undefined && path.startsWith("/console/")) {
      const body = { readBody: () => readBody(request), signal: () => signalOf(response) };
      return await page.respond({ request, response, host, path, ...body });
    }
    if (!isAllowed(request, token)) return reply(401, { error: { message: "the token is missing or wrong" } });
    const method = methods.get((request.url ?? "/").slice(1));
    if (request.method !== "POST" || method === undefined) {
      return reply(404, { error: { message: `the pipeline has no method ${request.method} ${request.url}` } });
    }
    const given = parseParameters(method, request.url, JSON.parse((await readBody(request)) || "{}"));
    reply(200, { result: (await method.call(given, signalOf(response))) ?? null });
  } catch (error) {
    reply(error instanceof WrongParameters ? 400 : 500, { error: { message: (error as Error).message } });
  }
}

/** Whether a Host header names the loopback interface and the port that the request came in on. */
function isThisMachine(host: string, { socket }: IncomingMessage): boolean {
  return ["127.0.0.1", "localhost", "[::1]"].some((name) => host === `${name}:${socket.localPort}`);
}

class WrongParameters extends Error {}

function parseParameters({ parameters }: Method, url: string | undefined, given: unknown): unknown {
  const parsed = parameters.safeParse(given);
  if (!parsed.success) throw new WrongParameters(mistakes(url, parsed.error));
  return parsed.data;
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
