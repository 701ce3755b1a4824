import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { localStackDirectory } from "../../targets/localstack-directory.ts";
import { resolveTarget } from "../../localstack/resolve-target.ts";
import { start } from "../../localstack/start.ts";

const root = mkdtempSync(join(tmpdir(), "pizza-reach-"));
const directory = localStackDirectory(join(root, "home"));
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** Answers like LocalStack's health endpoint. */
async function startEmulator(info: object) {
  const answers: Record<string, object> = { "/_localstack/health": { services: {} }, "/_localstack/info": info };
  const server = createServer(({ url = "" }, response) => response.end(JSON.stringify(answers[url] ?? {})));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as { port: number };
  return { port, endpoint: `http://127.0.0.1:${port}`, close: () => server.close() };
}

async function withEmulator(info: object, use: (emulator: { port: number; endpoint: string }) => Promise<void>) {
  const emulator = await startEmulator(info);
  try {
    for (const name of ["AWS_ENDPOINT_URL", "DATABASE_URL", "FUNCTIONS_DATABASE_URL"]) vi.stubEnv(name, undefined);
    await use(emulator);
  } finally {
    emulator.close();
  }
}

const say = () => {};

test("an external LocalStack is used with the database in DATABASE_URL", async () => {
  await withEmulator({ is_docker: true }, async ({ port, endpoint }) => {
    vi.stubEnv("DATABASE_URL", "postgresql://here/pizza");
    const databaseUrl = "postgresql://here/pizza";
    expect(await resolveTarget(directory, { port, say })).toEqual({
      endpoint,
      databaseUrl,
      functionsDatabaseUrl: databaseUrl,
    });
    vi.stubEnv("FUNCTIONS_DATABASE_URL", "postgresql://postgres/pizza");
    expect(await resolveTarget(directory, { port, say })).toMatchObject({
      databaseUrl,
      functionsDatabaseUrl: "postgresql://postgres/pizza",
    });
    vi.stubEnv("AWS_ENDPOINT_URL", endpoint);
    expect(await resolveTarget(directory, { port: 1, say })).toMatchObject({ endpoint });
  });
});

test("in Docker, where our PostgreSQL is unreachable, the error names the variables to set", async () => {
  await withEmulator({ is_docker: true }, async ({ port }) => {
    await expect(resolveTarget(directory, { port, say })).rejects.toThrow(
      /export DATABASE_URL=.*\n.*export FUNCTIONS_DATABASE_URL=/,
    );
  });
});

test("an AWS_ENDPOINT_URL without LocalStack is reported, and nothing is started", async () => {
  vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
  await expect(resolveTarget(directory, { port: 4566, say })).rejects.toThrow(
    "AWS_ENDPOINT_URL http://127.0.0.1:1: no LocalStack answers there",
  );
});

test("a remote AWS_ENDPOINT_URL is rejected before any request", async () => {
  vi.stubEnv("AWS_ENDPOINT_URL", "https://cloudformation.us-east-1.amazonaws.com");
  await expect(resolveTarget(directory, { port: 4566, say })).rejects.toThrow("is not on this machine");
});

test("a start on the port of another LocalStack says how to deploy to it", async () => {
  await withEmulator({}, async ({ port }) => {
    await expect(start(directory, { port, say })).rejects.toThrow(
      `port ${port} is used by a LocalStack that was not started here: deploy to it with make deploy ENV=localstack`,
    );
  });
});
