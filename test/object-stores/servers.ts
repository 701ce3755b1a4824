import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../support/free-port.ts";

/** MinIO's last open-source commit; it has no tag that Go accepts. */
const minioModule = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c";
const s3rverPackage = "s3rver@3.7.1";
/** Time limit for building MinIO, minutes. */
const patience = 20;

/** Built and installed servers are cached here. */
const cache = join(process.env["XDG_CACHE_HOME"] ?? tmpdir(), "pizza-object-stores");

/** An S3 server that runs on this machine until it is stopped. */
export interface RunningServer {
  endpoint: string;
  stop(): Promise<void>;
}

/** Builds MinIO from source with Go, once, in about five minutes. Throws if a prerequisite is missing. */
export function installMinio(say: (line: string) => void): string {
  const program = join(cache, minioModule.split("@")[1]!, "minio");
  if (existsSync(program)) return program;
  call("go", ["version"], "Go is not here");
  say(`building ${minioModule}: some five minutes, once`);
  mkdirSync(join(program, ".."), { recursive: true });
  const work = mkdtempSync(join(cache, "build-"));
  try {
    const environment = {
      ...process.env,
      GOPATH: join(work, "path"),
      GOCACHE: join(work, "cache"),
      GOBIN: join(work, "bin"),
      GOTMPDIR: work,
      GOFLAGS: "-modcacherw",
    };
    call("go", ["install", minioModule], "MinIO could not be built", environment, patience * 60_000);
    renameSync(join(work, "bin", "minio"), program);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}

/** Starts MinIO in an empty folder. */
export async function startMinio(program: string): Promise<RunningServer> {
  return await start((folder, port) => ({
    program,
    args: ["server", "--quiet", "--address", `127.0.0.1:${port}`, folder],
    environment: { MINIO_ROOT_USER: "pizza-sales", MINIO_ROOT_PASSWORD: "pizza-sales", MINIO_BROWSER: "off" },
  }));
}

/** Installs s3rver from npm, once. Throws if a prerequisite is missing. */
export function installS3rver(): string {
  const folder = join(cache, s3rverPackage);
  const program = join(folder, "node_modules", "s3rver", "bin", "s3rver.js");
  if (existsSync(program)) return program;
  const options = ["--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  call("npm", ["install", ...options, s3rverPackage], `npm could not install ${s3rverPackage}`);
  return program;
}

/** Starts s3rver in an empty folder. */
export async function startS3rver(script: string): Promise<RunningServer> {
  return await start((folder, port) => ({
    program: process.execPath,
    args: [script, "--directory", folder, "--address", "127.0.0.1", "--port", String(port)],
    environment: {},
  }));
}

function call(program: string, args: string[], problem: string, env = process.env, timeout = 300_000): void {
  try {
    execFileSync(program, args, { env, timeout, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 2 ** 26 });
  } catch (cause) {
    const { stderr, message } = cause as Error & { stderr?: Buffer };
    const words = stderr?.toString().trim().split("\n").at(-1);
    throw new Error(`${problem} (${words || message})`, { cause });
  }
}

interface ServerCommand {
  program: string;
  args: string[];
  environment: Record<string, string>;
}

async function start(commandOf: (folder: string, port: number) => ServerCommand): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "pizza-object-store-"));
  const port = await freePort();
  const { program, args, environment } = commandOf(folder, port);
  const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: "ignore" });
  const ended = once(child, "exit");
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (const until = Date.now() + 60_000; Date.now() < until && child.exitCode === null; await sleep(100)) {
    if (await answers(endpoint)) return { endpoint, stop };
  }
  await stop();
  throw new Error(`${program} does not answer at ${endpoint}: start it by hand to see what it says`);
}

async function answers(endpoint: string): Promise<boolean> {
  // 503: the server has not found its disks yet.
  const answer = await fetch(endpoint).catch(() => undefined);
  return answer !== undefined && answer.status < 500;
}
