import type { ObjectStore } from "../ports.ts";
import type { Snapshot } from "../delta/table.ts";
import { listBronze, type BronzeObject } from "../bronze/list-bronze.ts";

const hourMs = 3_600_000;

/** The `txn` app id of the low watermark: the hour before which every bronze object is consumed and none can appear. */
export const lowWatermarkId = "bronze/settled-before";

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
 * for `horizonMs`.
 */
export async function listPending(
  { store, stream, snapshot }: { store: ObjectStore; stream: string; snapshot: Snapshot },
  { now, sweep, horizonMs }: { now: number; sweep: "recent" | "full"; horizonMs: number },
): Promise<PendingBronze> {
  const settled = snapshot.transactions.get(lowWatermarkId)?.version ?? 0;
  const recent = Math.floor(now / hourMs) - 1;
  const fromHour = sweep === "full" ? settled : Math.max(settled, recent);
  const listed = await listBronze(store, stream, { fromHour: hourName(fromHour) });
  const objects = listed.filter(({ key }) => !snapshot.transactions.has(key));
  if (sweep === "recent") return { objects };
  const oldestPending = objects.length === 0 ? Infinity : Date.parse(`${objects[0]!.hour}:00:00Z`) / hourMs;
  return { objects, lowWatermark: Math.max(settled, Math.min(oldestPending, Math.floor((now - horizonMs) / hourMs))) };
}

/**
 * Whether silver has consumed a bronze object. The keys of consumed objects expire from the log, but only after the low
 * watermark has passed their hour.
 */
export function isConsumed({ transactions }: Snapshot, { key, hour }: Pick<BronzeObject, "key" | "hour">): boolean {
  if (transactions.has(key)) return true;
  const settled = transactions.get(lowWatermarkId)?.version ?? 0;
  return Date.parse(`${hour}:00:00Z`) / hourMs < settled;
}

/** When silver consumed a bronze object, in milliseconds since 1970; 0 if its key has already expired from the log. */
export function takenAt({ transactions }: Snapshot, { key }: Pick<BronzeObject, "key">): number {
  return transactions.get(key)?.lastUpdated ?? 0;
}

function hourName(hours: number): string {
  return new Date(hours * hourMs).toISOString().slice(0, 13);
}
