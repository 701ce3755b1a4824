import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { statusSeconds, type Check, type PipelineProcess } from "../pipeline-api.ts";
import { problemsOf } from "../problems.ts";
import { connectPipeline } from "./control-client.ts";
import {
  dataDirectory,
  type DataDirectory,
  readPipelineRecord,
  rejectForeignFolder,
  rejectIncompleteDirectory,
  runningProcess,
} from "./data-directory.ts";
import { findBinaries } from "./postgres-process.ts";

const freeBytesWanted = 500 * 1024 * 1024;

/** Checks what the local pipeline needs from this machine, and its data directory `dir`. */
export function machineChecks(dir: string): Check[] {
  return [
    { name: "system", run: async () => describeSystem(process.platform, process.arch, kernelVersion()) },
    { name: "PostgreSQL", run: postgresBinary },
    { name: "DuckDB", run: duckDb },
    { name: "folder", run: () => createsFilesOnce(dir) },
    { name: "disk", run: () => freeDisk(dir) },
    { name: "loopback", run: loopback },
    { name: "pipeline", run: () => pipeline(dir) },
  ];
}

/**
 * Describes the operating system. `version` is the text of /proc/version, which names Microsoft under WSL2. Throws on
 * Windows itself.
 */
export function describeSystem(platform: NodeJS.Platform, arch: string, version: string): string {
  if (platform === "win32") {
    throw new Error("Windows is supported through WSL2: run this inside a WSL2 distribution, see README.md");
  }
  if (!version.toLowerCase().includes("microsoft")) return `${platform} ${arch}`;
  return "Linux under WSL2; Power BI Desktop on Windows reaches this machine at 127.0.0.1";
}

function kernelVersion(): string {
  return existsSync("/proc/version") ? readFileSync("/proc/version", "utf8") : "";
}

async function postgresBinary(): Promise<string> {
  const { postgres } = await findBinaries();
  return execFileSync(postgres, ["--version"], { encoding: "utf8" }).trim();
}

async function duckDb(): Promise<string> {
  const { version } = await import("@duckdb/node-api").catch((cause: Error) => {
    throw new Error(`DuckDB cannot be loaded (${cause.message}): run npm ci again`, { cause });
  });
  return version();
}

/** Several writers create one key: exactly one may succeed. All commits to bronze and the Delta tables rely on it. */
async function createsFilesOnce(dir: string): Promise<string> {
  const parent = existing(dataDirectory(dir).root);
  if (!statSync(parent).isDirectory()) throw new Error(`${parent} is a file: give a folder with --dir`);
  const root = mkdtempSync(join(parent, ".pizza-doctor-"));
  try {
    const store = openFolderStore(root);
    const won = await Promise.all(
      ["one", "two", "three"].map((text) => store.put("probe/key", Buffer.from(text), { ifAbsent: true })),
    );
    if (won.filter(Boolean).length !== 1) {
      throw new Error(
        `${root} lets several writers create the same file, so orders would be lost: choose a local disk with --dir`,
      );
    }
    return `${dirname(root)} is writable and creates each file once`;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function freeDisk(dir: string): Promise<string> {
  const { bavail, bsize } = statfsSync(existing(dataDirectory(dir).root));
  const free = `${Math.round((bavail * bsize) / 1024 / 1024)} MiB free`;
  if (bavail * bsize < freeBytesWanted) throw new Error(`${free}: free some space, or choose another disk with --dir`);
  return free;
}

async function loopback(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  await new Promise((resolve) => server.close(resolve));
  return "127.0.0.1 accepts connections";
}

async function pipeline(dir: string): Promise<string> {
  const folder = dataDirectory(dir);
  if (readPipelineRecord(folder) === undefined) {
    rejectForeignFolder(folder);
    return `none in ${folder.root} yet: create one with ./pizza demo or ./pizza start`;
  }
  rejectIncompleteDirectory(folder);
  const running = runningProcess(folder);
  if (running !== undefined) return await runningPipeline(folder, running);
  const killed = readPipelineRecord(folder)?.process;
  if (killed === undefined) return `${folder.root}, not running`;
  throw new Error(`${folder.root}, process ${killed.pid} was killed: ./pizza start continues, and no order is lost`);
}

/** Asks the running pipeline what is wrong; open rejected events and warnings are not the machine's fault. */
async function runningPipeline(folder: DataDirectory, running: Omit<PipelineProcess, "state">): Promise<string> {
  const asked = connectPipeline(folder).status({ seconds: statusSeconds }, AbortSignal.timeout(statusSeconds * 1000));
  const status = await asked;
  const problems = problemsOf({ ...status, process: { ...running, state: "running" } });
  const bad = problems.filter(({ severity }) => severity !== "attention");
  if (bad.length === 0) return `${folder.root}, running in process ${running.pid}, all parts answer`;
  throw new Error(bad.map(({ happened, next }) => `${happened} ${next}`).join(" "));
}

/** The path itself, or its nearest existing parent folder. */
function existing(path: string): string {
  return existsSync(path) ? path : existing(dirname(path));
}
