import type { LineageEndpoint, ObjectStore } from "../ports.ts";
import type { Places } from "./datasets.ts";
import type { RunChange } from "./execution-change.ts";
import { lineageEvent } from "./lineage-event.ts";
import type { LineageEvent } from "./open-lineage.ts";
import { factsOf } from "./run-facts.ts";
import { dayMs, utcDate } from "../domain/dates.ts";

export interface Lineage {
  /** The lake, which keeps the events beside its tables. */
  store: ObjectStore;
  places: Places;
  /** Who else is told, such as Marquez. */
  endpoint?: LineageEndpoint | undefined;
}

/** Keeps a change of a run as an event of OpenLineage, then tells the endpoint. A second time it only tells again. */
export async function recordLineage({ store, places, endpoint }: Lineage, change: RunChange): Promise<LineageEvent> {
  const event = lineageEvent(change, places, await factsOf(store, change));
  await keepEvent(store, event);
  await endpoint?.send(event);
  return event;
}

const root = "lineage/";

/** Where an event is kept, in order of time: `lineage/2026-11-24/2026-11-24T120000.000Z-bronze_to_silver-COMPLETE-<run>.json`. */
export function lineageKey({ eventTime, eventType, job, run }: LineageEvent): string {
  return `${root}${eventTime.slice(0, 10)}/${eventTime.replaceAll(":", "")}-${job.name}-${eventType}-${run.runId}.json`;
}

/** Keeps an event; one that came before is left as it is. */
async function keepEvent(store: ObjectStore, event: LineageEvent): Promise<void> {
  await store.put(lineageKey(event), Buffer.from(JSON.stringify(event)), { ifAbsent: true });
}

export interface LineageQuery {
  /** The first day, `YYYY-MM-DD`. */
  since: string;
  workflow?: string | undefined;
  /** The newest events, so many; and those with which their runs began, so that no run is cut in two. */
  limit: number;
}

/** The events that a lake keeps, the oldest first. */
export async function readEvents(
  store: ObjectStore,
  { since, workflow, limit }: LineageQuery,
): Promise<LineageEvent[]> {
  // A run may have begun before midnight.
  const dayBefore = utcDate(Date.parse(since) - dayMs);
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
