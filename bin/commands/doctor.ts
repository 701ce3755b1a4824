import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, statSync, existsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import {
  homeFolder,
  readHomeRecord,
  refuseLostParts,
  refuseTakenFolder,
  runningProcess,
} from "../../local/home-folder.ts";
import { paint, print, printJson } from "../output.ts";
import type { Command, Values } from "../options.ts";
import { prepareRemote } from "../with-home.ts";

interface Check {
  name: string;
  /** Resolves to what was found; throws with what to do. */
  look: (dir: string) => Promise<string>;
}

const freeBytesWanted = 500 * 1024 * 1024;

const checks: Check[] = [
  { name: "Node.js", look: nodeVersion },
  { name: "PostgreSQL", look: postgresBinary },
  { name: "DuckDB", look: duckDb },
  { name: "folder", look: folderHonoursPutIfAbsent },
  { name: "disk", look: freeDisk },
  { name: "loopback", look: loopback },
  { name: "home", look: home },
];

export const doctor: Command = {
  summary: "what is missing on this machine or in a deployed home, and how to mend it",
  usage: "doctor [--bucket NAME] [--json] [--dir DIR]",
  options: {
    bucket: { type: "string", about: "try whether this S3 bucket can hold a lake: AWS, or AWS_ENDPOINT_URL_S3" },
  },
  async run(values) {
    const { dir, json } = values;
    const results = [];
    for (const { name, look } of await checksOf(values)) {
      const result = await look(dir).then(
        (found) => ({ check: name, ok: true, found }),
        (error: Error) => ({ check: name, ok: false, found: error.message }),
      );
      results.push(result);
    }
    if (json) printJson(results);
    else {
      for (const { check, ok, found } of results) {
        print(`${ok ? paint("ok   ", "green") : paint("wrong", "red")}  ${check.padEnd(10)}  ${found}`);
      }
    }
    return results.every(({ ok }) => ok) ? 0 : 1;
  },
};

async function checksOf(values: Values): Promise<Check[]> {
  const { bucket } = values;
  if (typeof bucket === "string") return [await bucketCheck(values, bucket)];
  return values.home === "embedded" ? checks : await remoteChecks(values);
}

async function bucketCheck(values: Values, bucket: string): Promise<Check> {
  const { checkPutIfAbsent } = await import("../../remote/check-store.ts");
  prepareRemote(values);
  const { env } = process;
  const endpoint = env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"];
  if (endpoint === undefined) return { name: "store", look: () => checkPutIfAbsent(bucket) };
  // A store of one's own has no region, and the client wants one.
  env["AWS_REGION"] ??= "us-east-1";
  return { name: "store", look: () => checkPutIfAbsent(bucket).catch((error) => explainOwnStore(error, endpoint)) };
}

/** There nobody signs in. */
function explainOwnStore(error: Error, endpoint: string): never {
  const { name = "" } = (error.cause ?? {}) as { name?: string };
  if (!["CredentialsProviderError", "InvalidAccessKeyId", "SignatureDoesNotMatch"].includes(name)) throw error;
  const advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to those of the store";
  throw new Error(`store at ${endpoint}: there are no credentials that it takes (${name}): ${advice}`, {
    cause: error,
  });
}

async function remoteChecks(values: Values): Promise<Check[]> {
  const { deploymentChecks } = await import("../../remote/check-deployment.ts");
  prepareRemote(values);
  return [{ name: "Node.js", look: nodeVersion }, ...deploymentChecks(values.env)];
}

async function nodeVersion(): Promise<string> {
  const [major] = process.versions.node.split(".").map(Number);
  if (major! < 24) throw new Error(`${process.version} is too old: npm ci brings Node 24, and npx pizza uses it`);
  return process.version;
}

async function postgresBinary(): Promise<string> {
  const { findBinaries } = await import("../../local/postgres-launch.ts");
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
async function folderHonoursPutIfAbsent(dir: string): Promise<string> {
  const { openFolderStore } = await import("../../lambdas/adapters/folder-store.ts");
  const place = existing(homeFolder(dir).root);
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
  const { bavail, bsize } = statfsSync(existing(homeFolder(dir).root));
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

async function home(dir: string): Promise<string> {
  const folder = homeFolder(dir);
  if (readHomeRecord(folder) === undefined) {
    refuseTakenFolder(folder);
    return `none in ${folder.root} yet: pizza demo or pizza start makes one`;
  }
  refuseLostParts(folder);
  const running = runningProcess(folder);
  return `${folder.root}, ${running === undefined ? "not running" : `running in process ${running.pid}`}`;
}

/** The folder itself, or the nearest one above it that exists. */
function existing(path: string): string {
  return existsSync(path) ? path : existing(dirname(path));
}
