import { randomBytes, randomUUID } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join, resolve } from "node:path";
import { isRunning } from "./machine.ts";

/** Paths of a local pipeline's data directory. */
export interface DataDirectory {
  root: string;
  lake: string;
  onFailure: string;
  stream: string;
  checkpoints: string;
  postgres: string;
  logs: string;
  /** May be a link to another disk. */
  backups: string;
}

/** Content of `home.json`, the record of a local pipeline; readable by its owner only. */
export interface PipelineRecord {
  homeId: string;
  createdAt: string;
  /** Only a pipeline created by `demo` may be replaced by the next demo; any other is deleted only by `clean`. */
  madeBy: "demo" | "start";
  /** Key of the HMAC that derives customer keys. */
  customerSecret: string;
  /** The process that runs the pipeline; absent while it is stopped. */
  process?: { pid: number; started?: string | undefined; port: number; token: string; startedAt: string };
}

/** The paths below a data directory's root. */
export function dataDirectory(dir: string): DataDirectory {
  const root = resolve(dir);
  return {
    root,
    lake: join(root, "lake"),
    onFailure: join(root, "on-failure"),
    stream: join(root, "stream"),
    checkpoints: join(root, "checkpoints"),
    postgres: join(root, "postgres"),
    logs: join(root, "logs"),
    backups: join(root, "backups"),
  };
}

/** Folders without which a pipeline is incomplete; `backups` is created by the first backup. */
function requiredFolders({ lake, onFailure, stream, checkpoints, postgres }: DataDirectory): string[] {
  return [lake, onFailure, stream, checkpoints, postgres];
}

/** Names of everything that a pipeline creates in its data directory; any other file was not created by it. */
function ownEntries(folder: DataDirectory): string[] {
  const folders = [...requiredFolders(folder), folder.logs, folder.backups].map((part) => basename(part));
  return [...folders, "home.json", "home.json.new", "producer.pid"];
}

/** Reads `home.json`; undefined if it does not exist. */
export function readPipelineRecord({ root }: DataDirectory): PipelineRecord | undefined {
  const path = join(root, "home.json");
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as PipelineRecord;
  } catch (cause) {
    throw new Error(`${path} is damaged: restore it from a copy (docs/operations.md describes its content)`, { cause });
  }
}

/** Throws if the folder has data but no `home.json`: a new one would give every customer a second customer key. */
export function rejectLostRecord(folder: DataDirectory): void {
  if (readPipelineRecord(folder) !== undefined) return;
  const left = [folder.stream, folder.lake, folder.postgres, folder.backups].filter(hasEntries);
  if (left.length === 0) return;
  throw new Error(
    `${join(folder.root, "home.json")} is missing, but ${left.map((part) => basename(part)).join(", ")} ${left.length === 1 ? "exists" : "exist"}: ` +
      "restore it from a copy, or start over with another --dir and remove this folder by hand",
  );
}

/** The record of an existing local pipeline. Throws if there is no pipeline, or if its `home.json` is missing. */
export function requireDataDirectory(folder: DataDirectory): PipelineRecord {
  const record = readPipelineRecord(folder);
  if (record !== undefined) return record;
  rejectLostRecord(folder);
  throw new Error(`no local pipeline in ${folder.root}: create one with ./pizza demo or ./pizza start`);
}

function hasEntries(part: string): boolean {
  return existsSync(part) && readdirSync(part).length > 0;
}

/** Replaces `home.json` atomically. */
export function writePipelineRecord({ root }: DataDirectory, record: PipelineRecord): void {
  const path = join(root, "home.json");
  writeFileSync(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}

/** Creates the folders of a new pipeline, or checks that those of an existing one are complete. */
export function prepareDataDirectory(folder: DataDirectory, madeBy: PipelineRecord["madeBy"]): PipelineRecord {
  const known = readPipelineRecord(folder);
  if (known !== undefined) {
    rejectIncompleteDirectory(folder);
    return known;
  }
  rejectForeignFolder(folder);
  for (const part of [...requiredFolders(folder), folder.logs]) mkdirSync(part, { recursive: true });
  const record: PipelineRecord = {
    homeId: randomUUID(),
    createdAt: new Date().toISOString(),
    madeBy,
    customerSecret: process.env["PIZZA_CUSTOMER_SECRET"] ?? randomBytes(32).toString("hex"),
  };
  writePipelineRecord(folder, record);
  return record;
}

/** Throws if a folder contains files not created by a pipeline, or a pipeline's data without `home.json`. */
export function rejectForeignFolder(folder: DataDirectory): void {
  rejectLostRecord(folder);
  const foreign = foreignEntries(folder);
  if (foreign.length === 0) return;
  const named = foreign.length > 3 ? `${foreign.slice(0, 3).join(", ")} and more` : foreign.join(", ");
  throw new Error(
    `${folder.root} contains files not created by a local pipeline (${named}): give an empty or new folder with --dir`,
  );
}

/** Throws if a required folder is missing, and says how to recover it. */
export function rejectIncompleteDirectory(folder: DataDirectory): void {
  const lost = requiredFolders(folder).filter((part) => !existsSync(part));
  if (lost.length === 0) return;
  const advice = lost.length === 1 && lost[0] === folder.postgres ? "recover it with ./pizza restore" : "put it back";
  throw new Error(
    `local pipeline in ${folder.root}: missing ${lost.join(" and ")}: ${advice}, or start over with ./pizza clean`,
  );
}

/** Names of files in the folder that a pipeline does not create. */
function foreignEntries(folder: DataDirectory): string[] {
  if (!existsSync(folder.root)) return [];
  if (!statSync(folder.root).isDirectory()) throw new Error(`${folder.root} is a file: give a folder with --dir`);
  const own = new Set(ownEntries(folder));
  return readdirSync(folder.root).filter((name) => !own.has(name));
}

/** The process that runs the pipeline, if it is alive. */
export function runningProcess(folder: DataDirectory): PipelineRecord["process"] {
  const known = readPipelineRecord(folder)?.process;
  return known !== undefined && isRunning(known.pid, known.started) ? known : undefined;
}

/**
 * Deletes a pipeline's files, `home.json` last, so that an interrupted deletion can be repeated. Also deletes the
 * folder if it is then empty; otherwise returns the names of the remaining files.
 */
export function removeDataDirectory(folder: DataDirectory): string[] {
  for (const name of ownEntries(folder).toSorted((a, b) => lastOf(a) - lastOf(b))) {
    rmSync(join(folder.root, name), { recursive: true, force: true });
  }
  const left = readdirSync(folder.root);
  if (left.length > 0) return left;
  if (lstatSync(folder.root).isSymbolicLink()) unlinkSync(folder.root);
  else rmdirSync(folder.root);
  return [];
}

const lastOf = (name: string): number => (name === "home.json" ? 1 : 0);
