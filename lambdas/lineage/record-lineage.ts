import type { LineageEndpoint, ObjectStore } from "../ports.ts";
import { lineageEvent } from "./lineage-event.ts";
import { keepEvent } from "./lineage-log.ts";
import type { LineageEvent } from "./open-lineage.ts";
import type { Places } from "./places.ts";
import type { RunChange } from "./run-change.ts";
import { factsOf } from "./run-facts.ts";

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
