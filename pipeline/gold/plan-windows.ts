import type { DeltaTable } from "../delta/table.ts";
import type { Warehouse, Clock } from "../ports.ts";
import { watermarkDate } from "../silver/transactions.ts";
import { groupByMonth } from "./facts.ts";

export interface WindowPlan {
  /** The version of silver to publish. */
  silverVersion: number;
  /** Days whose gold is older than silver, in order, one batch for each month. */
  batches: string[][];
  /** Days whose rows per customer will be older than their gold, batched alike. */
  customerBatches: string[][];
}

interface LedgerRow {
  order_date: string;
  silver_version: string;
  customers_version: string | null;
}

/**
 * Says which days gold has to show anew. `changedSince` gives the dates that silver changed after a version up to the
 * snapshot's, or undefined where its log no longer reaches back: then every day counts as changed.
 */
export async function planStaleWindows(
  { warehouse }: { warehouse: Warehouse },
  {
    snapshotVersion,
    partitions,
    changedSince,
  }: {
    snapshotVersion: number;
    partitions: Iterable<string>;
    changedSince: (version: number) => Promise<Set<string> | undefined>;
  },
): Promise<WindowPlan> {
  const inSilver = new Set(partitions);
  const { cursor, ledger } = await readLedger(warehouse);
  const changes = remember(changedSince);
  const isStale = async (date: string): Promise<boolean> => {
    const row = ledger.get(date);
    if (row === undefined) return inSilver.has(date);
    const version = Number(row.silver_version);
    if (version >= snapshotVersion) return false;
    return (await changes(version))?.has(date) ?? true;
  };
  const pending = [];
  for (const date of await candidates({ cursor, snapshotVersion, changes, inSilver, ledger })) {
    if (await isStale(date)) pending.push(date);
  }
  // Every day is shown as of this version or later; the next plan looks no further back.
  const shown = Math.min(
    snapshotVersion,
    ...pending.map((date) => Number(ledger.get(date)?.silver_version ?? cursor ?? -1)),
  );
  if (shown > (cursor ?? -1)) await warehouse.query("select ops.advance_cursor($1::bigint)::text", [shown]);
  const behind = [...ledger.values()].filter(isCustomersBehind).map((row) => row.order_date);
  return {
    silverVersion: snapshotVersion,
    batches: groupByMonth(pending),
    customerBatches: groupByMonth([...pending, ...behind]),
  };
}

/** Days that may have changed since the cursor, and those that gold never showed or should no longer show. */
async function candidates({
  cursor,
  snapshotVersion,
  changes,
  inSilver,
  ledger,
}: {
  cursor: number | undefined;
  snapshotVersion: number;
  changes: (version: number) => Promise<Set<string> | undefined>;
  inSilver: ReadonlySet<string>;
  ledger: ReadonlyMap<string, LedgerRow>;
}): Promise<Set<string>> {
  const changed = await changedAfter(cursor, snapshotVersion, changes);
  if (changed === undefined) return new Set([...inSilver, ...ledger.keys()]);
  const unknown = [...inSilver].filter((date) => !ledger.has(date));
  return new Set([...changed, ...unknown]);
}

async function changedAfter(
  cursor: number | undefined,
  snapshotVersion: number,
  changes: (version: number) => Promise<Set<string> | undefined>,
): Promise<Set<string> | undefined> {
  if (cursor === undefined) return undefined;
  return cursor >= snapshotVersion ? new Set() : await changes(cursor);
}

async function readLedger(warehouse: Warehouse) {
  const [position] = await warehouse.query<{ value: string }>(
    "select value from ops.cursor where name = 'silver_version'",
  );
  const rows = await warehouse.query<LedgerRow>(
    "select order_date::text, silver_version, customers_version from ops.windows",
  );
  return {
    cursor: position && Number(position.value),
    ledger: new Map(rows.map((row) => [row.order_date, row])),
  };
}

function isCustomersBehind({ silver_version, customers_version }: LedgerRow): boolean {
  return customers_version === null || Number(customers_version) < Number(silver_version);
}

function remember<Value>(read: (version: number) => Promise<Value>): (version: number) => Promise<Value> {
  const known = new Map<number, Promise<Value>>();
  return (version) => {
    const value = known.get(version) ?? read(version);
    known.set(version, value);
    return value;
  };
}

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
export async function planWindows(
  {
    silver,
    warehouse,
    clock,
    customersEveryMs,
  }: { silver: DeltaTable; warehouse: Warehouse; clock: Clock; customersEveryMs: number },
  { customers }: { customers: "now" | "when due" },
): Promise<PublishingPlan> {
  const snapshot = await silver.snapshot();
  const { silverVersion, batches, customerBatches } = await planStaleWindows(
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
