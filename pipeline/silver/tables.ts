import { compactTable, type CompactSummary } from "../delta/compact.ts";
import { lakeTable, openDeltaTable, type DeltaTable, type Snapshot } from "../delta/table.ts";
import type { Clock, LakeTable, ObjectStore } from "../ports.ts";
import { partitionColumn, silverColumns } from "./columns.ts";
import { quarantineColumns } from "./quarantine-table.ts";
import { dayMs } from "../domain/dates.ts";

/** Name of the order stream; bronze keys start with it. */
export const orderStream = "orders";

interface TableLocation {
  store: ObjectStore;
  clock: Clock;
  /** Called if a checkpoint cannot be written; the commit stands, and a later commit writes the checkpoint. */
  onCheckpointError?: (error: unknown) => void;
  /** Commits between two checkpoints of the log. */
  checkpointEvery?: number;
}

/** Opens the Delta table `silver/order_lines`: valid order lines, each exactly once. */
export function openSilver(location: TableLocation): DeltaTable {
  return openDeltaTable({
    ...location,
    root: "silver/order_lines",
    name: "order_lines",
    description: "Order lines of every order's latest revision, once each",
    columns: silverColumns,
    partitionColumn,
  });
}

/** Opens the Delta table `quarantine/order_events`: the events that silver rejected, with the reason. */
export function openQuarantine(location: TableLocation): DeltaTable {
  return openDeltaTable({
    ...location,
    root: "quarantine/order_events",
    name: "order_events",
    description: "Events that silver refused, with their bytes, their place in the stream and the reason",
    columns: quarantineColumns,
  });
}

/**
 * Returns a silver snapshot as the lake table `silver_order_lines`: all of it, or only the given days (`YYYY-MM-DD`).
 */
export function silverLakeTable(snapshot: Snapshot, days?: Iterable<string>): LakeTable {
  return lakeTable(snapshot, {
    root: "silver/order_lines",
    name: "silver_order_lines",
    columns: silverColumns,
    partitionColumn,
    ...(days && { partitions: [...days] }),
  });
}

/** Returns a quarantine snapshot as the lake table `quarantine_order_events`. */
export function quarantineLakeTable(snapshot: Snapshot): LakeTable {
  return lakeTable(snapshot, {
    root: "quarantine/order_events",
    name: "quarantine_order_events",
    columns: quarantineColumns,
  });
}

/**
 * Returns silver as a lake table at a version, or at the newest one. Throws if data files of an earlier version are
 * gone: forgetting a customer removes them.
 */
export async function versionTable(store: ObjectStore, silver: DeltaTable, version?: number): Promise<LakeTable> {
  const table = silverLakeTable(await silver.snapshot(version));
  if (version === undefined) return table;
  const existing = await silverFilesThere(store, silver);
  const gone = table.files.filter((file) => !existing.has(file)).length;
  if (gone === 0) return table;
  throw new Error(
    `silver version ${version} can no longer be read: ${gone} of its ${table.files.length} data files were removed, ` +
      "for example when a customer was forgotten; query a later version",
  );
}

/** Returns the keys of all objects in silver's folder, including those of no current version. */
export async function silverFilesThere(store: ObjectStore, silver: DeltaTable): Promise<ReadonlySet<string>> {
  return new Set((await store.list(`${silver.root}/`)).map(({ key }) => key));
}

/** A day and the silver version to read it at. */
export interface DayAtVersion {
  /** `YYYY-MM-DD` */
  order_date: string;
  version: number;
}

/**
 * Returns silver as one lake table with each day at its own version. Data files are immutable and hold one day each, so
 * files of several versions can be combined. Throws if a version is older than the log retention.
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

/** How far time travel goes back, and how long an unreferenced data file is kept in case a slow writer commits it. */
const retention = { logRetentionMs: 30 * dayMs, orphanRetentionMs: 7 * dayMs };

/**
 * Compacts silver's small files. A full sweep also vacuums silver and the quarantine. From `until` on, in milliseconds
 * since 1970, it begins nothing more; the next run goes on.
 */
export async function compactSilver(
  {
    silver,
    quarantine,
    store,
    clock,
  }: { silver: DeltaTable; quarantine: DeltaTable } & Pick<TableLocation, "store" | "clock">,
  { sweep, until = Infinity }: { sweep: "recent" | "full"; until?: number },
): Promise<CompactSummary> {
  const shouldStop = () => clock() >= until;
  const compacted = await compactTable({ table: silver, store, shouldStop });
  if (sweep === "full") for (const table of [silver, quarantine]) await table.vacuum({ ...retention, shouldStop });
  return compacted;
}
