import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes, randomUUID } from "node:crypto";
import { join, resolve } from "node:path";
import { isRunning } from "./process-state.ts";

/** Where an embedded home keeps what. */
export interface HomeFolder {
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
export interface HomeRecord {
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
export function homeFolder(dir: string): HomeFolder {
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

/** Reads `home.json`; undefined where there is no home. */
export function readHomeRecord({ root }: HomeFolder): HomeRecord | undefined {
  const path = join(root, "home.json");
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as HomeRecord;
  } catch (cause) {
    throw new Error(`${path} is damaged: restore it, or remove the home with pizza clean`, { cause });
  }
}

/** Replaces `home.json` in one step. */
export function writeHomeRecord({ root }: HomeFolder, record: HomeRecord): void {
  const path = join(root, "home.json");
  writeFileSync(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Makes the folders of a new home, or checks that those of an old one are all there. */
export function prepareHome(folder: HomeFolder, madeBy: HomeRecord["madeBy"]): HomeRecord {
  const known = readHomeRecord(folder);
  const parts = [folder.lake, folder.onFailure, folder.stream, folder.checkpoints, folder.postgres];
  if (known !== undefined) {
    const lost = parts.filter((part) => !existsSync(part));
    if (lost.length > 0) {
      throw new Error(
        `the home in ${folder.root} has lost ${lost.join(" and ")}: ${advice(folder, lost)}, or start anew with pizza clean`,
      );
    }
    return known;
  }
  for (const part of [...parts, folder.logs]) mkdirSync(part, { recursive: true });
  const record: HomeRecord = {
    homeId: randomUUID(),
    createdAt: new Date().toISOString(),
    madeBy,
    customerSecret: process.env["PIZZA_CUSTOMER_SECRET"] ?? randomBytes(32).toString("hex"),
  };
  writeHomeRecord(folder, record);
  return record;
}

function advice({ postgres }: HomeFolder, lost: string[]): string {
  return lost.length === 1 && lost[0] === postgres ? "bring it back with pizza restore" : "put it back";
}

/** The process that has the home open, if it is alive. */
export function runningProcess(folder: HomeFolder): HomeRecord["process"] {
  const known = readHomeRecord(folder)?.process;
  return known !== undefined && isRunning(known.pid, known.started) ? known : undefined;
}

/** Removes a home's folder and all that is in it. */
export function removeHome({ root }: HomeFolder): void {
  rmSync(root, { recursive: true, force: true });
}
