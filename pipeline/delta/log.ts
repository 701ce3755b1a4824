import type { ObjectStore } from "../ports.ts";
import type { Action, CommitInfo } from "./actions.ts";

/** What a table's log folder holds. */
export interface LogFiles {
  /** Versions of commits, rising. */
  commits: number[];
  /** Versions of checkpoints, rising. */
  checkpoints: number[];
}

/** Where a table keeps its log. */
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

/** The commits and checkpoints that the log still holds, from version `from` on. */
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

/** A commit's actions; undefined where the log does not hold that version. */
export async function readCommit(store: ObjectStore, root: string, version: number): Promise<Action[] | undefined> {
  const body = await store.get(commitKey(root, version));
  if (body === undefined) return undefined;
  try {
    return decodeActions(body);
  } catch (cause) {
    const key = commitKey(root, version);
    throw new Error(`Delta table ${root}: ${key} cannot be read; put the file back from a backup`, { cause });
  }
}

/** Actions as the log stores them, one JSON object a line. */
export function encodeActions(actions: readonly Action[]): Uint8Array {
  return Buffer.from(actions.map((action) => `${JSON.stringify(action)}\n`).join(""));
}

function decodeActions(body: Uint8Array): Action[] {
  const lines = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString().split("\n");
  return lines.filter((line) => line !== "").map((line): Action => JSON.parse(line));
}

/** What a commit says about itself, and the partitions whose rows it changed. */
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

/** How many commits are read after the moment before the search ends. */
const mostRead = 200;
/** Clocks of several writers differ. */
const slackMs = 60_000;

/** A commit of a table's log. */
export interface FoundCommit {
  version: number;
  /** Milliseconds since 1970. */
  committedAt: number;
}

/**
 * The commit that holds an action, made at or soon after a moment (milliseconds since 1970): the log is in the order of
 * time, so few commits are read. Undefined where the log no longer holds it.
 */
export async function findCommit(
  { store, root }: { store: ObjectStore; root: string },
  { notBefore, holds }: { notBefore: number; holds: (action: Action) => boolean },
): Promise<FoundCommit | undefined> {
  const { commits } = await listLog(store, root);
  const place = { store, root };
  const start = await firstSince(place, commits, notBefore - slackMs);
  for (const version of commits.slice(start, start + mostRead)) {
    const actions = (await readCommit(store, root, version)) ?? [];
    if (actions.some(holds)) return { version, committedAt: timeOf(actions) };
  }
  return undefined;
}

/** Index of the first commit that was not made before a moment. */
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
