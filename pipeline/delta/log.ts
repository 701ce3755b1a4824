import type { ObjectStore } from "../ports.ts";
import type { Action, CommitInfo } from "./actions.ts";

/** How many commits `findCommit` reads at most. */
const mostRead = 200;
/** Allowance for clock differences between writers. */
const slackMs = 60_000;

/** The contents of a table's log folder. */
export interface LogFiles {
  /** Versions of the commits, ascending. */
  commits: number[];
  /** Versions of the checkpoints, ascending. */
  checkpoints: number[];
}

/** Returns the key prefix of a table's log. */
export function logFolder(root: string): string {
  return `${root}/_delta_log/`;
}

export function commitKey(root: string, version: number): string {
  return `${logFolder(root)}${String(version).padStart(20, "0")}.json`;
}

export function checkpointKey(root: string, version: number): string {
  return `${logFolder(root)}${String(version).padStart(20, "0")}.checkpoint.parquet`;
}

export function lastCheckpointKey(root: string): string {
  return `${logFolder(root)}_last_checkpoint`;
}

/** Lists the commits and checkpoints in the log, from version `from` on. */
export async function listLog(store: ObjectStore, root: string, from = 0): Promise<LogFiles> {
  const startAfter = logFolder(root) + String(from).padStart(20, "0");
  const commits: number[] = [];
  const checkpoints: number[] = [];
  for (const { key } of await store.list(logFolder(root), { startAfter })) {
    const name = /\/(\d{20})\.(json|checkpoint\.parquet)$/.exec(key);
    if (name?.[2] === "json") commits.push(Number(name[1]));
    else if (name !== null) checkpoints.push(Number(name[1]));
  }
  return { commits, checkpoints };
}

/** Reads a commit's actions; undefined if the log has no such version. Throws if the commit is not valid JSON. */
export async function readCommit(store: ObjectStore, root: string, version: number): Promise<Action[] | undefined> {
  const body = await store.get(commitKey(root, version));
  if (body === undefined) return undefined;
  try {
    const actions = decodeActions(body);
    // A commit has at least its commitInfo: an empty file was truncated.
    if (actions.length === 0 || actions.some((action) => typeof action !== "object" || action === null)) {
      throw new Error("it has no actions");
    }
    return actions;
  } catch (cause) {
    const key = commitKey(root, version);
    throw new Error(`Delta table ${root}: ${key} cannot be read; restore the file from a backup`, { cause });
  }
}

/** Encodes actions as a commit file: newline-delimited JSON. */
export function encodeActions(actions: readonly Action[]): Uint8Array {
  return Buffer.from(actions.map((action) => `${JSON.stringify(action)}\n`).join(""));
}

function decodeActions(body: Uint8Array): Action[] {
  const lines = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString().split("\n");
  return lines.filter((line) => line !== "").map((line): Action => JSON.parse(line));
}

/** Returns a commit's info, and the partitions whose rows it changed. */
export function describeCommit(
  version: number,
  actions: readonly Action[],
): { info: CommitInfo; partitions: Set<string> } {
  const { commitInfo } = actions.find((action) => action.commitInfo) ?? {};
  const files = actions.map(({ add, remove }) => add ?? remove).filter((file) => file?.dataChange === true);
  const { timestamp = 0, operation = "", operationMetrics = {}, userMetadata, txnId } = commitInfo ?? {};
  return {
    info: {
      version,
      timestamp,
      operation,
      operationMetrics,
      dataChange: files.length > 0,
      ...(userMetadata !== undefined && { userMetadata }),
      ...(txnId !== undefined && { txnId }),
    },
    partitions: new Set(files.map((file) => Object.values(file?.partitionValues ?? {})[0] ?? "")),
  };
}

/** A commit of a table's log. */
export interface FoundCommit {
  version: number;
  /** Milliseconds since 1970. */
  committedAt: number;
}

/**
 * Finds the commit with an action that satisfies `holds`, committed at or soon after `notBefore` (milliseconds since
 * 1970). Commits are in time order, so a binary search keeps the reads few. Undefined if the log no longer has it.
 */
export async function findCommit(
  { store, root }: { store: ObjectStore; root: string },
  { notBefore, holds }: { notBefore: number; holds: (action: Action) => boolean },
): Promise<FoundCommit | undefined> {
  const { commits } = await listLog(store, root);
  const start = await firstSince({ store, root }, commits, notBefore - slackMs);
  for (const version of commits.slice(start, start + mostRead)) {
    const actions = (await readCommit(store, root, version)) ?? [];
    if (actions.some(holds)) return { version, committedAt: timeOf(actions) };
  }
  return undefined;
}

/** Returns the index of the first commit at or after a moment. */
async function firstSince(
  { store, root }: { store: ObjectStore; root: string },
  commits: readonly number[],
  moment: number,
): Promise<number> {
  let low = 0;
  let high = commits.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timeOf((await readCommit(store, root, commits[middle]!)) ?? []) < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

function timeOf(actions: readonly Action[]): number {
  return actions.find(({ commitInfo }) => commitInfo)?.commitInfo?.timestamp ?? 0;
}
