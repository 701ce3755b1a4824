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
import { randomBytes, randomUUID } from "node:crypto";
import { basename, join, resolve } from "node:path";
import { isRunning } from "./machine.ts";

/** Where an embedded home keeps what. */
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

/** What a home remembers of itself, in `home.json`; readable by its owner only. */
export interface PipelineRecord {
  homeId: string;
  createdAt: string;
  /** `demo` may be made anew by the next demo; any other home is never wiped without `clean`. */
  madeBy: "demo" | "start";
  /** Secret of the customer tokens. */
  customerSecret: string;
  /** The process that has the home open, while it does. */
  process?: { pid: number; started?: string | undefined; port: number; token: string; startedAt: string };
}

/** The folders below a home's root. */
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

/** What a home may not lose; `backups` comes with the first of them. */
function partsOf({ lake, onFailure, stream, checkpoints, postgres }: DataDirectory): string[] {
  return [lake, onFailure, stream, checkpoints, postgres];
}

/** Everything that a home ever makes in its folder; whatever else lies there is somebody else's. */
function ownEntries(folder: DataDirectory): string[] {
  const folders = [...partsOf(folder), folder.logs, folder.backups].map((part) => basename(part));
  return [...folders, "home.json", "home.json.new", "producer.pid"];
}

/** Reads `home.json`; undefined where there is no home. */
export function readPipelineRecord({ root }: DataDirectory): PipelineRecord | undefined {
  const path = join(root, "home.json");
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as PipelineRecord;
  } catch (cause) {
    throw new Error(`${path} is damaged: put it back, from a copy; docs/operations.md says what it holds`, { cause });
  }
}

/** Throws where orders lie in the folder, but `home.json` is gone: a new one would give every customer a second token. */
export function rejectLostRecord(folder: DataDirectory): void {
  if (readPipelineRecord(folder) !== undefined) return;
  const left = [folder.stream, folder.lake, folder.postgres, folder.backups].filter(holdsSomething);
  if (left.length === 0) return;
  throw new Error(
    `${join(folder.root, "home.json")} is lost, but ${left.map((part) => basename(part)).join(", ")} ${left.length === 1 ? "is" : "are"} there: ` +
      "put it back, from a copy; without it, begin anew with another --dir and remove this folder by hand",
  );
}

/** The record of a home that is there. Throws where there is none, or where it is lost. */
export function requireDataDirectory(folder: DataDirectory): PipelineRecord {
  const record = readPipelineRecord(folder);
  if (record !== undefined) return record;
  rejectLostRecord(folder);
  throw new Error(`there is no home in ${folder.root}: make one with ./pizza demo or ./pizza start`);
}

function holdsSomething(part: string): boolean {
  return existsSync(part) && readdirSync(part).length > 0;
}

/** Replaces `home.json` in one step. */
export function writePipelineRecord({ root }: DataDirectory, record: PipelineRecord): void {
  const path = join(root, "home.json");
  writeFileSync(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}

/** Makes the folders of a new home, or checks that those of an old one are all there. */
export function prepareDataDirectory(folder: DataDirectory, madeBy: PipelineRecord["madeBy"]): PipelineRecord {
  const known = readPipelineRecord(folder);
  if (known !== undefined) {
    rejectIncompleteDirectory(folder);
    return known;
  }
  rejectForeignFolder(folder);
  for (const part of [...partsOf(folder), folder.logs]) mkdirSync(part, { recursive: true });
  const record: PipelineRecord = {
    homeId: randomUUID(),
    createdAt: new Date().toISOString(),
    madeBy,
    customerSecret: process.env["PIZZA_CUSTOMER_SECRET"] ?? randomBytes(32).toString("hex"),
  };
  writePipelineRecord(folder, record);
  return record;
}

/** Throws where a folder holds what is not a home's, or what a home left that lost its `home.json`. */
export function rejectForeignFolder(folder: DataDirectory): void {
  rejectLostRecord(folder);
  const strange = strangers(folder);
  if (strange.length === 0) return;
  const named = strange.length > 3 ? `${strange.slice(0, 3).join(", ")} and more` : strange.join(", ");
  throw new Error(`${folder.root} holds ${named}, which is no part of a home: give a folder of its own with --dir`);
}

/** Throws where a folder of the home is gone, with what to do. */
export function rejectIncompleteDirectory(folder: DataDirectory): void {
  const lost = partsOf(folder).filter((part) => !existsSync(part));
  if (lost.length === 0) return;
  const advice =
    lost.length === 1 && lost[0] === folder.postgres ? "bring it back with ./pizza restore" : "put it back";
  throw new Error(
    `the home in ${folder.root} has lost ${lost.join(" and ")}: ${advice}, or start anew with ./pizza clean`,
  );
}

/** Names of what lies in the folder and is not the home's. */
function strangers(folder: DataDirectory): string[] {
  if (!existsSync(folder.root)) return [];
  if (!statSync(folder.root).isDirectory()) throw new Error(`${folder.root} is a file: give a folder with --dir`);
  const own = new Set(ownEntries(folder));
  return readdirSync(folder.root).filter((name) => !own.has(name));
}

/** The process that has the home open, if it is alive. */
export function runningProcess(folder: DataDirectory): PipelineRecord["process"] {
  const known = readPipelineRecord(folder)?.process;
  return known !== undefined && isRunning(known.pid, known.started) ? known : undefined;
}

/**
 * Removes what is the home's, `home.json` last, so that a removal that was cut off can be made again. The folder goes too
 * where nothing else lies in it; gives the names of what does.
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
