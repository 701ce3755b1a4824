import type { ObjectStore } from "../ports.ts";
import type { Snapshot } from "../delta/table.ts";
import { listBronze, type BronzeObject } from "../bronze/list-bronze.ts";
import { parseBronzeKey } from "../bronze/bronze-object.ts";
import { hourMs, hourStart, utcHour } from "../domain/dates.ts";
import { isConsumed, keysSetAside, lowWatermark } from "./transactions.ts";

/** The bronze objects that the next refine run has to consume. */
export interface PendingBronze {
  /** Bronze objects that no silver commit has consumed, oldest first. */
  objects: BronzeObject[];
  /** The new low watermark in hours since 1970; only a full sweep can compute it. */
  lowWatermark?: number;
}

/**
 * Lists silver's pending work: the objects in bronze minus those that the table's log records as consumed. `recent`
 * lists the current hour and the one before it; `full` lists every hour from the low watermark on. An object may appear
 * after the hour in its name (a write that timed out but succeeded, a clock that was set back); a full sweep finds it
 * for `horizonMs`. An object that is set aside is not pending; one that was brought back is, however old it is.
 */
export async function listPending(
  { store, stream, snapshot }: { store: ObjectStore; stream: string; snapshot: Snapshot },
  { now, sweep, horizonMs }: { now: number; sweep: "recent" | "full"; horizonMs: number },
): Promise<PendingBronze> {
  const watermark = lowWatermark(snapshot);
  const recent = Math.floor(now / hourMs) - 1;
  const fromHour = sweep === "full" ? watermark : Math.max(watermark, recent);
  const listed = await listBronze(store, stream, { fromHour: utcHour(fromHour * hourMs) });
  const setAside = new Set(keysSetAside(snapshot));
  const objects = [
    ...(await listBroughtBack({ store, snapshot })).filter(({ hour }) => hourStart(hour) < fromHour * hourMs),
    ...listed.filter((object) => !isConsumed(snapshot, object) && !setAside.has(object.key)),
  ];
  if (sweep === "recent") return { objects };
  const oldestPending = objects.length === 0 ? Infinity : hourStart(objects[0]!.hour) / hourMs;
  return {
    objects,
    lowWatermark: Math.max(watermark, Math.min(oldestPending, Math.floor((now - horizonMs) / hourMs))),
  };
}

/** Lists the objects that were brought back and are in bronze, oldest first. */
async function listBroughtBack({
  store,
  snapshot,
}: {
  store: ObjectStore;
  snapshot: Snapshot;
}): Promise<BronzeObject[]> {
  const keys = keysSetAside(snapshot, "broughtBack").toSorted();
  const found = (await Promise.all(keys.map((key) => store.list(key)))).flat();
  return found.flatMap(({ key, size }) => {
    const name = parseBronzeKey(key);
    return name === undefined ? [] : [{ key, size, ...name }];
  });
}
