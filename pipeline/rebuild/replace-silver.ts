import type { AddFile, DeltaTable, Snapshot } from "../delta/table.ts";
import type { OrderMap } from "../domain/order-map.ts";
import { copyRows, readColumns } from "../parquet/read-columns.ts";
import { createTableWriter } from "../parquet/table-writer.ts";
import type { ObjectStore } from "../ports.ts";
import type { StagingTables } from "./staging-tables.ts";
import { quarantinedOrder, quarantinedOrderColumns } from "../silver/quarantine-table.ts";
import { isProgress, judgedByRules } from "../silver/transactions.ts";

interface ReplaceContext {
  store: ObjectStore;
  silver: DeltaTable;
  quarantine: DeltaTable;
  staging: StagingTables;
}

/**
 * Replaces days of silver by the rebuilt ones, in one commit on top of the version that they were compared with.
 * Returns the new version, or undefined (and changes nothing) if another writer has committed meanwhile.
 */
export async function replaceSilver(
  { store, silver, staging }: ReplaceContext,
  { snapshot, days }: { snapshot: Snapshot; days: readonly string[] },
): Promise<number | undefined> {
  const rebuilt = await staging.silver.snapshot();
  const adds: AddFile[] = [];
  for (const day of days) {
    for (const { path, stats, rows } of rebuilt.partitions.get(day) ?? []) {
      const body = (await staging.store.get(`${staging.silver.root}/${path}`))!;
      adds.push(await silver.writeDataFile({ partition: day, body, rows, stats: stats! }));
    }
  }
  const unknown = [...rebuilt.transactions].filter(([id]) => !isProgress(id) && !snapshot.transactions.has(id));
  const result = await silver.commit({
    readVersion: snapshot.version,
    operation: "WRITE",
    adds,
    removes: days.flatMap((day) => snapshot.partitions.get(day) ?? []),
    transactions: [
      ...unknown.map(([appId, { version, lastUpdated }]) => ({ appId, version, lastUpdated })),
      ...judgedByRules(),
    ],
    operationMetrics: { rebuiltDays: days.length, numAddedFiles: adds.length },
  });
  if (result.committed) return result.version;
  for (const { path } of adds) await store.delete(`${silver.root}/${path}`);
  return undefined;
}

/**
 * Replaces the whole quarantine by the rebuilt one, as new rules may reject other events, or for other reasons.
 * Idempotent.
 */
export async function replaceQuarantine({
  quarantine,
  staging,
}: Pick<ReplaceContext, "quarantine" | "staging">): Promise<void> {
  const after = await staging.quarantine.snapshot();
  const adds = [];
  for (const file of after.files.values()) {
    adds.push(await copy(quarantine, { store: staging.store, file, from: staging.quarantine, keep: () => true }));
  }
  for (;;) {
    const before = await quarantine.snapshot();
    const result = await quarantine.commit({
      readVersion: before.version,
      operation: "WRITE",
      adds,
      removes: [...before.files.values()],
      transactions: [],
      operationMetrics: { rebuiltFiles: adds.length },
    });
    if (result.committed) return;
  }
}

/**
 * Updates the quarantine for these orders: adds the events that are rejected now, and removes those that no longer are.
 * Idempotent.
 */
export async function replaceQuarantined(
  { store, quarantine, staging }: ReplaceContext,
  orders: OrderMap<true>,
): Promise<void> {
  for (;;) {
    const [before, after] = await Promise.all([quarantine.snapshot(), staging.quarantine.snapshot()]);
    const [old, now] = [
      await findRows(quarantine, store, before, orders),
      await findRows(staging.quarantine, staging.store, after, orders),
    ];
    const lost = old.filter(({ identity }) => !now.some((other) => other.identity === identity));
    const gained = now.filter(({ identity }) => !old.some((other) => other.identity === identity));
    if (lost.length === 0 && gained.length === 0) return;
    const removes = [...new Set(lost.map(({ file }) => file))];
    const adds = [];
    for (const file of removes) {
      const rows = new Set(lost.filter((event) => event.file === file).map(({ row }) => row));
      adds.push(await copy(quarantine, { store, file, from: quarantine, keep: (row) => !rows.has(row) }));
    }
    for (const file of new Set(gained.map((event) => event.file))) {
      const rows = new Set(gained.filter((event) => event.file === file).map(({ row }) => row));
      adds.push(
        await copy(quarantine, { store: staging.store, file, from: staging.quarantine, keep: (row) => rows.has(row) }),
      );
    }
    const result = await quarantine.commit({
      readVersion: before.version,
      operation: "WRITE",
      adds: adds.filter(({ rows }) => rows > 0),
      removes,
      transactions: [],
      operationMetrics: { rebuiltRefusals: gained.length, withdrawnRefusals: lost.length },
    });
    if (result.committed) return;
  }
}

/** Finds the quarantined events of these orders: file, row, and the stream position with the reason. */
async function findRows(table: DeltaTable, store: ObjectStore, { files }: Snapshot, orders: OrderMap<true>) {
  const found: { file: AddFile; row: number; identity: string }[] = [];
  const names = ["shard", "sequence_number", "record_index", "reason"];
  for (const file of files.values()) {
    const body = (await store.get(`${table.root}/${file.path}`))!;
    const columns = await readColumns(body, [...names, ...quarantinedOrderColumns]);
    for (const row of columns["reason"]!.keys()) {
      const order = quarantinedOrder(columns, row);
      if (order === undefined || !orders.has(order)) continue;
      found.push({ file, row, identity: names.map((name) => String(columns[name]![row])).join("/") });
    }
  }
  return found;
}

async function copy(
  target: DeltaTable,
  source: { store: ObjectStore; file: AddFile; from: DeltaTable; keep: (row: number) => boolean },
): Promise<AddFile> {
  const body = (await source.store.get(`${source.from.root}/${source.file.path}`))!;
  const columns = await readColumns(
    body,
    target.columns.map(({ name }) => name),
  );
  const writer = createTableWriter(target.columns);
  copyRows(writer, columns, source.keep);
  return await target.writeDataFile({ partition: undefined, ...writer.finish() });
}
