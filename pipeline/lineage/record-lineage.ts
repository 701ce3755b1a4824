import type { LineageEndpoint, ObjectStore } from "../ports.ts";
import type { DatasetNames } from "./datasets.ts";
import type { RunChange } from "./execution-change.ts";
import { lineageEvent } from "./lineage-event.ts";
import type { LineageEvent } from "./open-lineage.ts";
import { factsOf } from "./run-facts.ts";
import { dayMs, utcDate } from "../domain/dates.ts";

/** Where lineage events are stored and sent. */
export interface Lineage {
  /** The lake; events are stored in its folder `lineage/`. */
  store: ObjectStore;
  names: DatasetNames;
  /** An optional receiver, such as Marquez. */
  endpoint?: LineageEndpoint | undefined;
}

/**
 * Stores a run's change as an OpenLineage event, then sends it to the endpoint. A repeated call only sends it again.
 */
export async function recordLineage({ store, names, endpoint }: Lineage, change: RunChange): Promise<LineageEvent> {
  const event = lineageEvent(change, names, await factsOf(store, change));
  await storeEvent(store, event);
  await endpoint?.send(event);
  return event;
}

const root = "lineage/";

/**
 * Returns an event's key; keys sort by time. Example:
 * `lineage/2026-11-24/2026-11-24T120000.000Z-bronze_to_silver-COMPLETE-<run>.json`.
 */
export function lineageKey({ eventTime, eventType, job, run }: LineageEvent): string {
  return `${root}${eventTime.slice(0, 10)}/${eventTime.replaceAll(":", "")}-${job.name}-${eventType}-${run.runId}.json`;
}

/** Stores an event, unless it is stored already. */
async function storeEvent(store: ObjectStore, event: LineageEvent): Promise<void> {
  await store.put(lineageKey(event), Buffer.from(JSON.stringify(event)), { ifAbsent: true });
}

/** Which stored events to read. */
export interface LineageQuery {
  /** The first day, `YYYY-MM-DD`. */
  since: string;
  workflow?: string | undefined;
  /** Maximum number of events, the newest ones; earlier events of the same runs are returned in addition. */
  limit: number;
}

/** Reads the events stored in a lake, oldest first. */
export async function readLineageEvents(
  store: ObjectStore,
  { since, workflow, limit }: LineageQuery,
): Promise<LineageEvent[]> {
  // A run may have started before midnight.
  const dayBefore = utcDate(Date.parse(since) - dayMs);
  const kept = await store.list(root, { startAfter: `${root}${dayBefore}` });
  const all = kept.map(({ key }) => key).filter((key) => workflow === undefined || key.includes(`Z-${workflow}-`));
  const newest = all.filter((key) => key > `${root}${since}`).slice(-limit);
  const runs = new Set(newest.map(runOf));
  const before = all.slice(0, all.length - newest.length).filter((key) => runs.has(runOf(key)));
  const read = [...before, ...newest].map(async (key) => parseEvent(key, await store.get(key)));
  return (await Promise.all(read)).filter((event) => event !== undefined);
}

function parseEvent(key: string, body: Uint8Array | undefined): LineageEvent | undefined {
  if (body === undefined) return undefined;
  try {
    const { run, job, ...event }: LineageEvent = JSON.parse(Buffer.from(body).toString());
    if (run !== undefined && job !== undefined) return { run, job, ...event };
  } catch {
    // The same as a document that is no event.
  }
  throw new Error(`${key} in the lake is damaged: restore it from a copy, or remove it; it is only a record of a run`);
}

/** Returns the part of a key that all events of a run share: workflow and run id, without time and state. */
function runOf(key: string): string {
  return key.replace(/^.*?Z-/, "").replace(/-[A-Z]+-/, "-");
}
