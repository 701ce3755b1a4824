import { compactTable, type CompactSummary } from "../delta/compact.ts";
import { lakeTable, openDeltaTable, type DeltaTable, type Snapshot } from "../delta/table.ts";
import type { Clock, LakeTable, ObjectStore } from "../ports.ts";
import { partitionColumn, silverColumns } from "./columns.ts";
import { quarantineColumns } from "./quarantine-table.ts";

/** The stream of the chain's orders; bronze is kept below its name. */
export const orderStream = "orders";

interface TableLocation {
  store: ObjectStore;
  clock: Clock;
  /** Hears of a checkpoint that could not be written; the commit stands, and a later commit tries again. */
  onCheckpointError?: (error: unknown) => void;
  /** Commits between two checkpoints of the log; 20 unless given. */
  checkpointEvery?: number;
}

/** The Delta table `silver/order_lines`: clean order lines, once each. */
export function openSilver(place: TableLocation): DeltaTable {
  return openDeltaTable({
    ...place,
    root: "silver/order_lines",
    name: "order_lines",
    description: "Order lines of every order's latest revision, once each",
    columns: silverColumns,
    partitionColumn,
  });
}

/** The Delta table `quarantine/order_events`: what silver refused, and why. */
export function openQuarantine(place: TableLocation): DeltaTable {
  return openDeltaTable({
    ...place,
    root: "quarantine/order_events",
    name: "order_events",
    description: "Events that silver refused, with their bytes, their place in the stream and the reason",
    columns: quarantineColumns,
  });
}

/** Silver for SQL, as `silver_order_lines`: all of it, or some of its days. */
export function silverLakeTable(snapshot: Snapshot, days?: Iterable<string>): LakeTable {
  return lakeTable(snapshot, {
    root: "silver/order_lines",
    name: "silver_order_lines",
    columns: silverColumns,
    partitionColumn,
    ...(days && { partitions: [...days] }),
  });
}

/** The quarantine for SQL, as `quarantine_order_events`. */
export function quarantineLakeTable(snapshot: Snapshot): LakeTable {
  return lakeTable(snapshot, {
    root: "quarantine/order_events",
    name: "quarantine_order_events",
    columns: quarantineColumns,
  });
}

/**
 * Silver for SQL as it was at a version, or as it is. An earlier version whose data files are not all there any more is an
 * error: forgetting a customer removes them.
 */
export async function versionTable(store: ObjectStore, silver: DeltaTable, version?: number): Promise<LakeTable> {
  const table = silverLakeTable(await silver.snapshot(version));
  if (version === undefined) return table;
  const there = await silverFilesThere(store, silver);
  const gone = table.files.filter((file) => !there.has(file)).length;
  if (gone === 0) return table;
  throw new Error(
    `silver version ${version} can no longer be read: ${gone} of its ${table.files.length} data files are removed, as of a customer ` +
      "who was forgotten; ask a later version",
  );
}

/** Keys of all that lies in silver's folder now, whatever version names it. */
export async function silverFilesThere(store: ObjectStore, silver: DeltaTable): Promise<ReadonlySet<string>> {
  return new Set((await store.list(`${silver.root}/`)).map(({ key }) => key));
}

/** A day, and the version of silver that is meant. */
export interface DayAtVersion {
  /** `YYYY-MM-DD` */
  order_date: string;
  version: number;
}

/**
 * Silver for SQL with each day as it was at a version of its own. Data files never change and hold one day each, so
 * files of several versions make one table. Throws where a version is no longer kept.
 */
export async function linesAtVersions(silver: DeltaTable, days: readonly DayAtVersion[]): Promise<LakeTable> {
  const byVersion = Map.groupBy(days, ({ version }) => version);
  const parts: LakeTable[] = [];
  for (const [version, ofVersion] of byVersion) {
    const snapshot = await silver.snapshot(version);
    const dates = ofVersion.map(({ order_date }) => order_date);
    parts.push(silverLakeTable(snapshot, dates));
  }
  const nothing = silverLakeTable(await silver.snapshot(), []);
  const newest = Math.max(nothing.version, ...byVersion.keys());
  return { ...nothing, version: newest, files: parts.flatMap(({ files }) => files) };
}

const dayMs = 24 * 3_600_000;
/** Time travel reaches back this far; data files that no version names are kept as long as a slow writer may need. */
const retention = { logRetentionMs: 30 * dayMs, orphanRetentionMs: 7 * dayMs };

/** Joins silver's small files; with a full sweep, also removes what no kept version of the two tables needs any more. */
export async function compactSilver(
  { silver, quarantine, store }: { silver: DeltaTable; quarantine: DeltaTable; store: ObjectStore },
  { sweep }: { sweep: "recent" | "full" },
): Promise<CompactSummary> {
  const compacted = await compactTable({ table: silver, store });
  if (sweep === "full") for (const table of [silver, quarantine]) await table.vacuum(retention);
  return compacted;
}
