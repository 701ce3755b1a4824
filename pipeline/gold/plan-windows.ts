import type { DeltaTable, Snapshot } from "../delta/table.ts";
import type { Clock, ObjectStore, Warehouse } from "../ports.ts";
import { listPending } from "../silver/list-pending.ts";
import { reportableUntil } from "../silver/transactions.ts";
import { groupByMonth } from "./facts.ts";
import { notePublishedCommit, publishableSnapshot } from "./published-commit.ts";

/** The days to publish from one silver version. */
export interface WindowPlan {
  silverVersion: number;
  /** Days whose gold is older than silver, in order, one batch per month. */
  batches: string[][];
  /** Days whose rows by customer will then be older than their gold, batched the same way. */
  customerBatches: string[][];
}

interface LedgerRow {
  order_date: string;
  silver_version: string;
  customers_version: string | null;
  /** Whether the day lacks facts, so that it is published again although silver has not changed it. */
  is_due: boolean;
}

/**
 * Determines which days gold has to publish again. `changedSince` returns the dates that silver changed after a
 * version, up to the snapshot's; if it returns undefined, because the log no longer goes back that far, every day is
 * stale.
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
  const changes = memoize(changedSince);
  const isStale = async (date: string): Promise<boolean> => {
    const row = ledger.get(date);
    if (row === undefined) return inSilver.has(date);
    if (row.is_due) return true;
    const version = Number(row.silver_version);
    if (version >= snapshotVersion) return false;
    return (await changes(version))?.has(date) ?? true;
  };
  const pending = [];
  for (const date of await candidates({ cursor, snapshotVersion, changes, inSilver, ledger })) {
    if (await isStale(date)) pending.push(date);
  }
  // Gold shows every day at this version or later, so the next plan starts here.
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

/** Returns the days that may have changed since the cursor, those that gold has never shown, and those that are due. */
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
  const due = [...ledger.values()].filter((row) => row.is_due).map((row) => row.order_date);
  return new Set([...changed, ...unknown, ...due]);
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
    "select order_date::text, silver_version, customers_version, is_due from ops.windows",
  );
  return {
    cursor: position && Number(position.value),
    ledger: new Map(rows.map((row) => [row.order_date, row])),
  };
}

function isCustomersBehind({ silver_version, customers_version }: LedgerRow): boolean {
  return customers_version === null || Number(customers_version) < Number(silver_version);
}

function memoize<Value>(read: (version: number) => Promise<Value>): (version: number) => Promise<Value> {
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

/** The plan of one `silver_to_gold` run, and the input of its later steps. */
export interface PublishingPlan {
  /** The silver version that the whole run publishes; -1 if silver does not exist yet. */
  silverVersion: number;
  /** Date before which days may be reported; null if none may, because events wait or arrive for past days. */
  watermark: string | null;
  batches: WindowBatch[];
  /** Days whose rows by customer are stale, one batch per month. */
  customerBatches: string[][];
  customersDue: boolean;
}

/**
 * Plans a run on silver's newest version. Rows by customer are due with `customers: "now"`; otherwise, if some are
 * stale and the last publish of them was `customersEveryMs` ago. Throws if the lake has lost the commit that gold was
 * published from.
 */
export async function planWindows(
  { store, stream, silver, warehouse, clock, customersEveryMs }: PlanContext & { customersEveryMs: number },
  { customers }: { customers: "now" | "when due" },
): Promise<PublishingPlan> {
  const snapshot = await publishableSnapshot({ silver, warehouse });
  await notePublishedCommit({ silver, warehouse }, snapshot.version);
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
    // A negative time means that the clock was set back.
    return elapsed < 0 || elapsed >= customersEveryMs;
  };
  return {
    silverVersion,
    watermark: await reportable({ store, stream, clock }, snapshot),
    batches: batches.map((windows) => ({ silverVersion, windows })),
    customerBatches,
    customersDue: snapshot.version >= 0 && (await isDue()),
  };
}

interface PlanContext {
  store: ObjectStore;
  stream: string;
  silver: DeltaTable;
  warehouse: Warehouse;
  clock: Clock;
}

/** Returns the date before which days may be reported; null while something that has landed waits to be refined. */
async function reportable(
  { store, stream, clock }: Pick<PlanContext, "store" | "stream" | "clock">,
  snapshot: Snapshot,
): Promise<string | null> {
  const { objects } = await listPending({ store, stream, snapshot }, { now: clock(), sweep: "recent", horizonMs: 0 });
  return objects.length > 0 ? null : (reportableUntil(snapshot, clock()) ?? null);
}

async function customersPublishedAt(warehouse: Warehouse): Promise<number> {
  const [row] = await warehouse.query<{ value: string }>(
    "select value from ops.cursor where name = 'customers_published_at'",
  );
  return row === undefined ? 0 : Date.parse(row.value);
}
