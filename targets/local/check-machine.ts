import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { openFolderStore } from "../../adapters/folder-store.ts";
import type { Check } from "../pipeline-api.ts";
import {
  dataDirectory,
  readPipelineRecord,
  rejectIncompleteDirectory,
  rejectForeignFolder,
  runningProcess,
} from "./data-directory.ts";
import { findBinaries } from "./postgres-process.ts";

const freeBytesWanted = 500 * 1024 * 1024;

/** What the local pipeline needs of this machine, and the state of its data directory `dir`. */
export function machineChecks(dir: string): Check[] {
  return [
    { name: "PostgreSQL", look: postgresBinary },
    { name: "DuckDB", look: duckDb },
    { name: "folder", look: () => createsFilesOnce(dir) },
    { name: "disk", look: () => freeDisk(dir) },
    { name: "loopback", look: loopback },
    { name: "home", look: () => pipeline(dir) },
  ];
}

async function postgresBinary(): Promise<string> {
  const { postgres } = await findBinaries();
  return execFileSync(postgres, ["--version"], { encoding: "utf8" }).trim();
}

async function duckDb(): Promise<string> {
  const { version } = await import("@duckdb/node-api").catch((cause: Error) => {
    throw new Error(`DuckDB does not load: run npm ci again (${cause.message})`, { cause });
  });
  return version();
}

/** Two writers, one key: exactly one may win, and what it wrote must stand. Everything after landing relies on it. */
async function createsFilesOnce(dir: string): Promise<string> {
  const place = existing(dataDirectory(dir).root);
  if (!statSync(place).isDirectory()) throw new Error(`${place} is a file: give a folder with --dir`);
  const root = mkdtempSync(join(place, ".pizza-doctor-"));
  try {
    const store = openFolderStore(root);
    const won = await Promise.all(
      ["one", "two", "three"].map((text) => store.put("probe/key", Buffer.from(text), { ifAbsent: true })),
    );
    if (won.filter(Boolean).length !== 1) {
      throw new Error(
        `${root} lets several writers create one file: orders would be lost; choose a local disk with --dir`,
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
  if (bavail * bsize < freeBytesWanted) throw new Error(`${free}: make room, or give another disk with --dir`);
  return free;
}

async function loopback(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  await new Promise((resolve) => server.close(resolve));
  return "127.0.0.1 listens";
}

async function pipeline(dir: string): Promise<string> {
  const folder = dataDirectory(dir);
  if (readPipelineRecord(folder) === undefined) {
    rejectForeignFolder(folder);
    return `none in ${folder.root} yet: ./pizza demo or ./pizza start makes one`;
  }
  rejectIncompleteDirectory(folder);
  const running = runningProcess(folder);
  return `${folder.root}, ${running === undefined ? "not running" : `running in process ${running.pid}`}`;
}

/** The folder itself, or the nearest one above it that exists. */
function existing(path: string): string {
  return existsSync(path) ? path : existing(dirname(path));
}
