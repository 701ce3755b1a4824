import type { ObjectStore } from "../ports.ts";
import type { Snapshot } from "../delta/table.ts";
import { listBronze, type BronzeObject } from "../bronze/list-bronze.ts";

const hourMs = 3_600_000;

/** Transaction id under which silver keeps the hour before which every bronze object is consumed and none can come. */
export const lowWatermarkId = "bronze/settled-before";

export interface PendingBronze {
  /** Bronze objects that no commit of silver names yet, oldest first. */
  objects: BronzeObject[];
  /** Hours since 1970 before which nothing is pending and nothing can arrive any more; only a full sweep knows it. */
  lowWatermark?: number;
}

/**
 * The work list of silver: what lies in bronze less what the table's log says is consumed. `recent` looks at the hours
 * since the one before this; `full` at every hour that is not settled. An object may appear after the hour in its name
 * (a write that was given up but went through, a clock that was set back): within `horizonMs` a full sweep finds it.
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

/** Whether silver has taken a bronze object. Names of consumed objects expire from the log; by then their hour is settled. */
export function isConsumed({ transactions }: Snapshot, { key, hour }: Pick<BronzeObject, "key" | "hour">): boolean {
  if (transactions.has(key)) return true;
  const settled = transactions.get(lowWatermarkId)?.version ?? 0;
  return Date.parse(`${hour}:00:00Z`) / hourMs < settled;
}

/** When silver took a bronze object; 0 where its name has expired from the log, which is long ago. */
export function takenAt({ transactions }: Snapshot, { key }: Pick<BronzeObject, "key">): number {
  return transactions.get(key)?.lastUpdated ?? 0;
}

function hourName(hours: number): string {
  return new Date(hours * hourMs).toISOString().slice(0, 13);
}
