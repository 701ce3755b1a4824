import type { DeltaTable } from "../lake/delta-table.ts";
import type { Clock, Warehouse } from "../ports.ts";
import { watermarkDate } from "../silver/watermark.ts";
import { planWindows } from "./plan-windows.ts";

/** One batch of days of one month, published in one transaction. */
export interface WindowBatch {
  silverVersion: number;
  windows: string[];
}

/** What a run of `silver_to_gold` has to do; the later steps take it as their input. */
export interface PublishingPlan {
  /** The version of silver that the whole run shows; -1 while there is none. */
  silverVersion: number;
  /** Days before it are complete but for late orders; null before the first order. */
  watermark: string | null;
  batches: WindowBatch[];
  /** Days whose rows per customer are behind, in batches of one month. */
  customerBatches: string[][];
  customersDue: boolean;
}

/**
 * Plans a run on silver's newest version. Rows per customer are due at once with `customers: "now"`; else when some are
 * behind and the last were published `customersEveryMs` ago.
 */
export async function planPublishing(
  {
    silver,
    warehouse,
    clock,
    customersEveryMs,
  }: { silver: DeltaTable; warehouse: Warehouse; clock: Clock; customersEveryMs: number },
  { customers }: { customers: "now" | "when due" },
): Promise<PublishingPlan> {
  const snapshot = await silver.snapshot();
  const { silverVersion, batches, customerBatches } = await planWindows(
    { warehouse },
    {
      snapshotVersion: snapshot.version,
      partitions: snapshot.partitions.keys(),
      changedSince: async (version) => (await silver.changes(version, snapshot.version))?.partitions,
    },
  );
  const isDue = async () => {
    if (customers === "now") return true;
    if (customerBatches.length === 0) return false;
    const elapsed = clock() - (await customersPublishedAt(warehouse));
    // Less than nothing: the clock was set back.
    return elapsed < 0 || elapsed >= customersEveryMs;
  };
  return {
    silverVersion,
    watermark: watermarkDate(snapshot) ?? null,
    batches: batches.map((windows) => ({ silverVersion, windows })),
    customerBatches,
    customersDue: snapshot.version >= 0 && (await isDue()),
  };
}

async function customersPublishedAt(warehouse: Warehouse): Promise<number> {
  const [row] = await warehouse.query<{ value: string }>(
    "select value from ops.cursor where name = 'customers_published_at'",
  );
  return row === undefined ? 0 : Date.parse(row.value);
}
