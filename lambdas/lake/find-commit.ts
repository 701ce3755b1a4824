import type { ObjectStore } from "../ports.ts";
import type { Action } from "./delta-actions.ts";
import { listLog, readCommit } from "./delta-log.ts";

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
