import { randomBytes, randomUUID } from "node:crypto";
import {
  chmodSync,
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
import { isMainThread } from "node:worker_threads";
import { z } from "zod";
import { errorCode } from "../../pipeline/domain/errors.ts";
import { isRunning } from "./machine.ts";
import { lockHolder, takeLock } from "./stream/process-lock.ts";

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
const pipelineRecord = z.object({
  homeId: z.string(),
  createdAt: z.string(),
  /** Only a pipeline created by `demo` may be replaced by the next demo; any other is deleted only by `clean`. */
  madeBy: z.enum(["demo", "start"]),
  /** Key of the HMAC that derives customer keys. */
  customerSecret: z.string().min(1),
  /** The process that runs the pipeline; absent while it is stopped. */
  process: z
    .object({
      pid: z.int().positive(),
      started: z.string().optional(),
      port: z.int().positive(),
      token: z.string().min(1),
      startedAt: z.string(),
    })
    .optional(),
});

export type PipelineRecord = z.infer<typeof pipelineRecord>;

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

/** Touched by a running pipeline every few seconds: shows when a killed one was last alive. */
export const heartbeatFile = ({ logs }: DataDirectory): string => join(logs, "heartbeat");

/** Folders without which a pipeline is incomplete; `backups` is created by the first backup. */
function requiredFolders({ lake, onFailure, stream, checkpoints, postgres }: DataDirectory): string[] {
  return [lake, onFailure, stream, checkpoints, postgres];
}

/** Names of everything that a pipeline creates in its data directory; any other file was not created by it. */
function ownEntries(folder: DataDirectory): string[] {
  const folders = [...requiredFolders(folder), folder.logs, folder.backups].map((part) => basename(part));
  return [
    ...folders,
    "home.json",
    "home.json.new",
    "catalog.json",
    "catalog.json.new",
    "producer.pid",
    "producer.pid.new",
    "lock",
  ];
}

/** Names of the drafts from which a lock file is linked; a killed process may leave one. */
const lockDraft = /^lock\.[0-9a-f-]{36}$/;

/** Reads `home.json`; undefined if it does not exist. Throws if it belongs to another user, or is damaged. */
export function readPipelineRecord({ root }: DataDirectory): PipelineRecord | undefined {
  const path = join(root, "home.json");
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    rejectForeignOwner(root, path);
    return pipelineRecord.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    if (cause instanceof ForeignOwner) throw cause;
    if (errorCode(cause) === "ENOTDIR") return undefined;
    if (errorCode(cause) === "EACCES") throw new ForeignOwner(root, statSync(root).uid);
    throw new Error(`${path} is damaged: restore it from a copy (docs/operations.md describes its content)`, { cause });
  }
}

/** A data directory, or a part of it, belongs to another user of this machine. */
class ForeignOwner extends Error {
  constructor(path: string, owner: number) {
    super(
      `${path} belongs to the user with the id ${owner}, and this is the user with the id ${process.getuid?.()}: ` +
        "run as its owner; to take over a copy, change the owner of the whole folder with chown -R",
    );
  }
}

/** Throws if a path belongs to another user. As root too: what root writes, the owner could not read any more. */
function rejectForeignOwner(...paths: string[]): void {
  for (const path of paths) {
    const owner = statSync(path, { throwIfNoEntry: false })?.uid;
    if (owner !== undefined && process.getuid !== undefined && owner !== process.getuid()) {
      throw new ForeignOwner(path, owner);
    }
  }
}

/**
 * Throws if a part of the folder belongs to another user, such as after a copy as root. PostgreSQL's own folder belongs
 * to the user that runs it: that is another one where this is root.
 */
function rejectForeignParts(folder: DataDirectory): void {
  rejectForeignOwner(...requiredFolders(folder));
  const data = join(folder.postgres, "data");
  if (process.getuid?.() !== 0) return rejectForeignOwner(data);
  if (statSync(join(data, "PG_VERSION"), { throwIfNoEntry: false })?.uid !== 0) return;
  throw new Error(
    `${data} belongs to root, but PostgreSQL does not run as root: ` +
      `give it to the user that ran it before, for example with chown -R postgres ${data}`,
  );
}

/**
 * Makes everything that this process creates from now on readable by its user only: the data directory holds names and
 * addresses of customers. Threads share the setting of their process, which does it for them.
 */
export function keepFilesPrivate(): void {
  if (isMainThread) process.umask(0o077);
}

/**
 * Creates the data directory if necessary, and locks it for this process, before anything else is created in it.
 * Returns the function that releases the lock. Throws if another process has it.
 */
export function lockDataDirectory(folder: DataDirectory): () => void {
  if (readPipelineRecord(folder) === undefined) rejectForeignFolder(folder);
  keepFilesPrivate();
  mkdirSync(folder.root, { recursive: true, mode: 0o700 });
  // A folder of an earlier release is open to others.
  chmodSync(folder.root, 0o700);
  return takeLock(lockFile(folder), `the data directory ${folder.root}`);
}

/** The process that has the data directory open; undefined if there is none. */
export function openedBy(folder: DataDirectory): number | undefined {
  return lockHolder(lockFile(folder));
}

const lockFile = ({ root }: DataDirectory): string => join(root, "lock");

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
    rejectForeignParts(folder);
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
  return readdirSync(folder.root).filter((name) => !own.has(name) && !lockDraft.test(name));
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
