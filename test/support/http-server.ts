import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { recordCall } from "./recorded-calls.ts";

/** The response of a test server. */
export interface HttpAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/** A request with its complete body. */
export interface HttpRequest {
  method: string;
  url: URL;
  headers: IncomingMessage["headers"];
  body: Buffer;
  /** Closes the connection without a response, or during one. */
  reset: () => void;
}

export interface TestServer {
  /** Its address, such as `http://127.0.0.1:40123`. */
  url: string;
  close(): Promise<void>;
}

/** An HTTP server on a free port of 127.0.0.1; no response means that the handler has reset the connection. */
export async function startHttpServer(
  handle: (request: HttpRequest) => Promise<HttpAnswer | undefined>,
): Promise<TestServer> {
  const server = createServer((incoming, response) => {
    serve(incoming, response, handle).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  handle: (request: HttpRequest) => Promise<HttpAnswer | undefined>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const request = {
    method: incoming.method ?? "GET",
    url: new URL(incoming.url ?? "/", "http://127.0.0.1"),
    headers: incoming.headers,
    body: Buffer.concat(chunks),
    reset: () => incoming.socket.destroy(),
  };
  recordCall(request);
  const answer = await handle(request);
  if (!answer) return;
  const { status = 200, headers = {}, body = "" } = answer;
  response.writeHead(status, { "content-length": String(Buffer.byteLength(body)), ...headers });
  response.end(body);
}
