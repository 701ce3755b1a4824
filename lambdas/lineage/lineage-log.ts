import type { ObjectStore } from "../ports.ts";
import type { LineageEvent } from "./open-lineage.ts";

const root = "lineage/";

/** Where an event is kept, in order of time: `lineage/2026-11-24/2026-11-24T120000.000Z-bronze_to_silver-COMPLETE-<run>.json`. */
export function lineageKey({ eventTime, eventType, job, run }: LineageEvent): string {
  return `${root}${eventTime.slice(0, 10)}/${eventTime.replaceAll(":", "")}-${job.name}-${eventType}-${run.runId}.json`;
}

/** Keeps an event; one that came before is left as it is. */
export async function keepEvent(store: ObjectStore, event: LineageEvent): Promise<void> {
  await store.put(lineageKey(event), Buffer.from(JSON.stringify(event)), { ifAbsent: true });
}

export interface LineageQuery {
  /** The first day, `YYYY-MM-DD`. */
  since: string;
  workflow?: string | undefined;
  /** The newest events, so many; and those with which their runs began, so that no run is cut in two. */
  limit: number;
}

const dayMs = 86_400_000;

/** The events that a lake keeps, the oldest first. */
export async function readEvents(
  store: ObjectStore,
  { since, workflow, limit }: LineageQuery,
): Promise<LineageEvent[]> {
  // A run may have begun before midnight.
  const dayBefore = new Date(Date.parse(since) - dayMs).toISOString().slice(0, 10);
  const kept = await store.list(root, { startAfter: `${root}${dayBefore}` });
  const all = kept.map(({ key }) => key).filter((key) => workflow === undefined || key.includes(`Z-${workflow}-`));
  const newest = all.filter((key) => key > `${root}${since}`).slice(-limit);
  const runs = new Set(newest.map(runOf));
  const before = all.slice(0, all.length - newest.length).filter((key) => runs.has(runOf(key)));
  const bodies = await Promise.all([...before, ...newest].map((key) => store.get(key)));
  return bodies.filter((body) => body !== undefined).map((body) => JSON.parse(Buffer.from(body).toString()));
}

/** What the keys of one run's events have in common: workflow and run, without time and state. */
function runOf(key: string): string {
  return key.replace(/^.*?Z-/, "").replace(/-[A-Z]+-/, "-");
}
