import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openFolderStore } from "../adapters/folder-store.ts";
import type { AddFile, DeltaTable, Snapshot } from "../pipeline/delta/table.ts";
import { copyOrdered, readColumns } from "../pipeline/parquet/read-columns.ts";
import { createTableWriter } from "../pipeline/parquet/table-writer.ts";
import type { ObjectStore } from "../pipeline/ports.ts";
import { silverColumns } from "../pipeline/silver/columns.ts";
import { openSilver } from "../pipeline/silver/tables.ts";
import { judgedByRules } from "../pipeline/silver/transactions.ts";
import { openRefinery, refineAll } from "./bench-pipeline.ts";
import { openBusyChain, prepareBusyChain } from "./busy-chain.ts";
import type { BenchSetting } from "./case.ts";
import { createMemoryStore, readAll } from "./memory-store.ts";

const names = silverColumns.map(({ name }) => name);
const moments = new Set(["ordered_at", "emitted_at", "arrived_at"]);
const dayMs = 86_400_000;
/** The large table repeats the busy chain's days this many times. */
const copies = 10;
/** About 50,000 lines. */
const smallDays = 2;

type BenchColumns = Record<string, unknown[]>;

/** Creates the small and the large silver table if they are missing: one file per day, as after compaction. */
export async function prepareTables(setting: BenchSetting): Promise<void> {
  const folder = tableFolder(setting, "large");
  if (existsSync(folder)) return;
  await prepareBusyChain(setting);
  const base = await refinedChain(setting);
  const dates = [...base.snapshot.partitions.keys()].toSorted();
  // The first and the last day may be incomplete.
  await writeTable(tableFolder(setting, "small"), base, dates.slice(1, 1 + smallDays), 1);
  await writeTable(folder, base, dates.slice(1, -1), copies);
}

/** The lake folder of one of the two tables. */
export function tableFolder({ dir, size }: BenchSetting, which: "small" | "large"): string {
  return join(dir, `${which}-table-${size.lines}`);
}

interface Base {
  store: ObjectStore;
  silver: DeltaTable;
  snapshot: Snapshot;
}

async function refinedChain(setting: BenchSetting): Promise<Base> {
  const store = createMemoryStore(await readAll(openBusyChain(setting, "batched", "all").store, ""));
  const refinery = openRefinery(store);
  await refineAll(refinery);
  return { store, silver: refinery.silver, snapshot: await refinery.silver.snapshot() };
}

async function writeTable(folder: string, base: Base, dates: readonly string[], times: number): Promise<void> {
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const silver = openSilver({ store: openFolderStore(draft), clock: Date.now });
  const adds: AddFile[] = [];
  for (const date of dates) {
    const day = await readDay(base, date);
    for (let copy = 0; copy < times; copy++) adds.push(await writeDay(silver, day, date, copy * dates.length));
  }
  const { version: readVersion } = await silver.snapshot();
  await silver.commit({
    readVersion,
    operation: "WRITE",
    adds,
    removes: [],
    transactions: judgedByRules(),
    operationMetrics: {},
  });
  renameSync(draft, folder);
}

async function readDay({ store, silver, snapshot }: Base, date: string): Promise<BenchColumns> {
  const columns: BenchColumns = Object.fromEntries(names.map((name) => [name, []]));
  for (const { path } of snapshot.partitions.get(date)!) {
    const read = await readColumns((await store.get(`${silver.root}/${path}`))!, names);
    for (const name of names) columns[name] = columns[name]!.concat(read[name]!);
  }
  return columns;
}

/** Writes a day shifted by a number of days: dates, ids and timestamps change, everything else stays. */
async function writeDay(silver: DeltaTable, day: BenchColumns, date: string, daysLater: number): Promise<AddFile> {
  const partition = new Date(Date.parse(date) + daysLater * dayMs).toISOString().slice(0, 10);
  const columns: BenchColumns = { ...day };
  for (const name of moments) columns[name] = day[name]!.map((micros) => Number(micros) + daysLater * dayMs * 1000);
  const ids = day["order_id"]!.map((id) => laterId(String(id), daysLater));
  columns["order_id"] = ids;
  const rows = ids.map((_, row) => row).toSorted((a, b) => (ids[a]! < ids[b]! ? -1 : ids[a] === ids[b] ? a - b : 1));
  const writer = createTableWriter(silverColumns);
  copyOrdered(writer, columns, rows);
  return await silver.writeDataFile({ partition, ...writer.finish() });
}

/** Order ids start with their day in UTC, `YYYYMMDD-`. */
function laterId(id: string, daysLater: number): string {
  const day = Date.UTC(Number(id.slice(0, 4)), Number(id.slice(4, 6)) - 1, Number(id.slice(6, 8)));
  return new Date(day + daysLater * dayMs).toISOString().slice(0, 10).replaceAll("-", "") + id.slice(8);
}
