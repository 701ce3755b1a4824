#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { say } from "../../bin/output.ts";
import { installMinio, installS3rver, startMinio, startS3rver, type RunningServer } from "./servers.ts";

/**
 * Runs the lake on third-party S3 servers: MinIO, which honours put-if-absent and is built from source (Go and its
 * module proxy), and s3rver, which ignores it (npm). Skips a server that cannot be installed here, with the reason.
 */
const project = new URL("../..", import.meta.url).pathname;
/** Created by `make interop`. */
const deltaRs = join(process.env["XDG_CACHE_HOME"] ?? tmpdir(), "pizza-interop-venv", "bin", "python");

const running: RunningServer[] = [];
const environment = { ...process.env };

async function offer(name: string, variable: string, start: () => Promise<RunningServer>): Promise<void> {
  try {
    const server = await start();
    running.push(server);
    environment[variable] = server.endpoint;
  } catch (error) {
    say(`skipped: ${name}: ${(error as Error).message}`);
  }
}

await offer("MinIO", "PIZZA_TEST_MINIO", async () => await startMinio(installMinio(say)));
await offer("s3rver", "PIZZA_TEST_S3RVER", async () => await startS3rver(installS3rver()));
if (existsSync(deltaRs)) environment["PIZZA_TEST_DELTA_RS"] = deltaRs;
else say("skipped: delta-rs over S3: make interop installs it");

try {
  if (running.length > 0) {
    const vitest = join(project, "node_modules", "vitest", "vitest.mjs");
    const tests = [vitest, "run", "test/object-stores"];
    const { status } = spawnSync(process.execPath, tests, { cwd: project, env: environment, stdio: "inherit" });
    process.exitCode = status ?? 1;
  }
} finally {
  for (const server of running) await server.stop();
}
