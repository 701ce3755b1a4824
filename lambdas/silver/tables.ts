import { partitionColumn, silverColumns } from "../domain/silver-columns.ts";
import { lakeTable, openDeltaTable, type DeltaTable, type Snapshot } from "../lake/delta-table.ts";
import type { Clock, LakeTable, ObjectStore } from "../ports.ts";
import { quarantineColumns } from "./quarantine-columns.ts";

/** The stream of the chain's orders; bronze is kept below its name. */
export const orderStream = "orders";

interface TablePlace {
  store: ObjectStore;
  clock: Clock;
  /** Hears of a checkpoint that could not be written; the commit stands, and a later commit tries again. */
  onCheckpointError?: (error: unknown) => void;
  /** Commits between two checkpoints of the log; 20 unless given. */
  checkpointEvery?: number;
}

/** The Delta table `silver/order_lines`: clean order lines, once each. */
export function openSilver(place: TablePlace): DeltaTable {
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
export function openQuarantine(place: TablePlace): DeltaTable {
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
