import { hash } from "node:crypto";
import type { DeltaTable, Snapshot, AddFile } from "../delta/table.ts";
import { OrderMap, showOrder } from "../domain/order-map.ts";
import type { Findings } from "../domain/receipt.ts";
import type { ReasonCode } from "../domain/rejection-reasons.ts";
import { readColumns } from "../parquet/read-columns.ts";
import { compareText } from "../parquet/string-column.ts";
import type { LakeQuery, LakeRow, LakeTable, ObjectStore } from "../ports.ts";
import { unpublishedFiles, type RejectedName } from "../silver/quarantine-table.ts";
import { quarantineLakeTable, silverLakeTable } from "../silver/tables.ts";
import type { DataFiles } from "./data-files.ts";
import { cellOf, dateOf, digestLines, linesOf, orderOfLine, readLineColumns, type LineCells } from "./silver-lines.ts";
import { eventPosition, rowPosition } from "../domain/stream-position.ts";

const payloadColumns = ["shard", "sequence_number", "record_index", "reason", "payload", "payload_base64"];
/** The payload columns and those with bounds in the log. */
const nameColumns = ["order_id", "store_id", "order_date", "revision", "producer_id"];
const readOfQuarantine = [...payloadColumns, ...nameColumns, "arrived_at", "quarantined_at"];

/** One order as silver holds it. */
export interface SilverOrder {
  revision: number;
  /** Microseconds since 1970. */
  orderedAt: number;
  emittedAt: number;
  arrivedAt: number;
  producerSeq: number;
  /** Stream position of its event: `shard/sequence number/record index`. */
  position: string;
  payloadHash: bigint;
  /** Digest of all cells of its lines. */
  digest: string;
}

/** The content of silver and the quarantine, keyed by what bronze has too: orders and stream positions. */
export interface Layers {
  silver: OrderMap<SilverOrder>;
  /** Stored bytes and metadata of each rejected event, by stream position. */
  quarantined: ReadonlyMap<string, QuarantinedEvent>;
  /** Stream positions of rejected events whose order silver accepted from a later event. */
  cameLater: ReadonlySet<string>;
}

/** A rejected event as the quarantine stores it. */
export interface QuarantinedEvent {
  reason: ReasonCode;
  /** `digestBytes` of its bytes. */
  digest: string;
  name: RejectedName;
  /** Microseconds since 1970. */
  arrivedAt: number;
}

interface LayerSources {
  store: ObjectStore;
  silver: DeltaTable;
  quarantine: DeltaTable;
  lake: LakeQuery;
  checks: { quarantinedEvents: string };
  dataFiles: DataFiles;
}

/** Returns silver at one version as a lake table: all of it, or only the given days. */
export type SilverTable = (days?: readonly string[]) => LakeTable;

/** Returns silver without the data files that are missing or truncated; each of those becomes a finding. */
export async function wholeSilver(
  { store, silver }: Pick<LayerSources, "store" | "silver">,
  snapshot: Snapshot,
  findings: Findings,
): Promise<SilverTable> {
  const sizes = new Map([...snapshot.files].map(([path, { size }]) => [`${silver.root}/${path}`, size]));
  const whole = new Set(await wholeFiles({ store, root: silver.root, sizes }, findings));
  return (days) => {
    const table = silverLakeTable(snapshot, days);
    return { ...table, files: table.files.filter((file) => whole.has(file)) };
  };
}

/** Reads every order of silver, one data file at a time, and compares each file with its entry in the log. */
export async function readSilver(
  { store, silver, dataFiles }: LayerSources,
  { files }: LakeTable,
  { snapshot, findings }: { snapshot: Snapshot; findings: Findings },
): Promise<OrderMap<SilverOrder>> {
  const orders = new OrderMap<SilverOrder>();
  for (const file of files) {
    const columns = await dataFiles.read(file, async () => await readLineColumns((await store.get(file))!));
    if (columns === undefined) continue;
    const named = snapshot.files.get(file.slice(silver.root.length + 1))!;
    checkStats(file, { ...named, columns }, findings);
    if (named.partition !== dateOf(file)) {
      findings.add(
        "the lake is whole",
        "data files are in a different partition than the log says",
        `${file}: ${named.partition}`,
      );
    }
    const lines = linesOf(columns, dateOf(file));
    for (const cells of Map.groupBy(lines, (line) => showOrder(orderOfLine(line))).values()) {
      const order = orderOfLine(cells[0]!);
      const origin = new Set(cells.map(positionOfLine));
      if (orders.has(order) || origin.size > 1) {
        findings.add("silver is distinct", "orders appear in silver from two events or in two files", showOrder(order));
      }
      orders.set(order, {
        revision: Number(cellOf(cells[0]!, "revision")),
        orderedAt: Number(cellOf(cells[0]!, "ordered_at")),
        emittedAt: Number(cellOf(cells[0]!, "emitted_at")),
        arrivedAt: Number(cellOf(cells[0]!, "arrived_at")),
        producerSeq: Number(cellOf(cells[0]!, "producer_seq")),
        position: positionOfLine(cells[0]!),
        payloadHash: BigInt(cellOf(cells[0]!, "payload_hash")),
        digest: digestLines(cells),
      });
    }
  }
  return orders;
}

/** Reads the rejected events as of a silver version, whether they are published or still staged. */
export async function readQuarantine(
  { store, lake, silver, quarantine, checks, dataFiles }: LayerSources,
  { silverTable }: { silverTable: LakeTable },
  findings: Findings,
): Promise<Omit<Layers, "silver">> {
  const snapshot = await quarantine.snapshot();
  const staged = await unpublishedFiles(silver, silverTable.version, snapshot);
  const named = [...snapshot.files.values(), ...staged].map(
    (file) => [`${quarantine.root}/${file.path}`, file] as const,
  );
  const sizes = new Map(named.map(([key, { size }]) => [key, size]));
  const files = await wholeFiles({ store, root: quarantine.root, sizes }, findings);
  const quarantined = await readQuarantined({ store, dataFiles }, { files, named: new Map(named) }, findings);
  const tables = [{ ...quarantineLakeTable(snapshot), files }, silverTable];
  const rows = await lake.query(checks.quarantinedEvents, [], tables);
  for (const row of rows.filter(({ times }) => Number(times) > 1)) {
    findings.add("quarantine is distinct", "events are in quarantine more than once", eventPosition(rowPosition(row)));
  }
  return {
    quarantined,
    cameLater: new Set(
      rows.filter((row) => Number(row["came_later"]) > 0).map((row) => eventPosition(rowPosition(row))),
    ),
  };
}

async function readQuarantined(
  { store, dataFiles }: Pick<LayerSources, "store" | "dataFiles">,
  { files, named }: { files: readonly string[]; named: ReadonlyMap<string, Omit<FileInLog, "columns">> },
  findings: Findings,
): Promise<Map<string, QuarantinedEvent>> {
  const quarantined = new Map<string, QuarantinedEvent>();
  for (const file of files) {
    const columns = await dataFiles.read(
      file,
      async () => await readColumns((await store.get(file))!, readOfQuarantine),
    );
    if (columns === undefined) continue;
    checkStats(file, { ...named.get(file)!, columns }, findings);
    for (const row of columns["shard"]!.keys()) {
      const cells = Object.fromEntries(payloadColumns.map((name) => [name, columns[name]![row]])) as LakeRow;
      const base64 = cells["payload_base64"];
      const bytes = Buffer.from(String(base64 ?? cells["payload"]), base64 === null ? "utf8" : "base64");
      quarantined.set(eventPosition(rowPosition(cells)), {
        reason: cells["reason"] as ReasonCode,
        digest: digestBytes(bytes),
        name: {
          orderId: columns["order_id"]![row] as string | null,
          storeId: columns["store_id"]![row] as string | null,
          orderDate: columns["order_date"]![row] as string | null,
          revision: columns["revision"]![row] as number | null,
          producerId: columns["producer_id"]![row] as string | null,
        },
        arrivedAt: columns["arrived_at"]![row] as number,
      });
    }
  }
  return quarantined;
}

/** Returns a digest of an event's bytes: 96 bits of their SHA-256, in base64. */
export function digestBytes(bytes: Uint8Array): string {
  return hash("sha256", bytes, "base64").slice(0, 16);
}

/** Returns the keys of the data files that exist with the size that the log states; the others become findings. */
async function wholeFiles(
  { store, root, sizes }: { store: ObjectStore; root: string; sizes: ReadonlyMap<string, number> },
  findings: Findings,
): Promise<string[]> {
  const found = new Map((await store.list(`${root}/`)).map(({ key, size }) => [key, size]));
  const [whole, damaged] = [true, false].map((is) =>
    [...sizes.keys()].filter((key) => (found.get(key) === sizes.get(key)) === is),
  );
  for (const key of damaged!) {
    findings.add("the lake is whole", "data files are missing or differ in size from the log", key);
  }
  return whole!;
}

function positionOfLine(cells: LineCells): string {
  return `${cellOf(cells, "shard")}/${cellOf(cells, "sequence_number")}/${cellOf(cells, "record_index")}`;
}

/** A data file's row count and statistics in the log, and its actual columns. */
interface FileInLog extends Pick<AddFile, "rows" | "stats"> {
  columns: Readonly<Record<string, readonly unknown[]>>;
}

/**
 * Compares a file's statistics in the log with its rows. Readers, including the refine step, skip files by these bounds
 * (data skipping), so bounds that are too narrow would make an existing order look new. Bounds may be wider than the
 * rows, because long strings are truncated.
 */
function checkStats(key: string, { rows, stats, columns }: FileInLog, findings: Findings): void {
  const wrong = explainStats({ rows, stats, columns });
  if (wrong.length > 0) {
    findings.add(
      "the lake is whole",
      "data files do not match their statistics in the log",
      `${key}: ${wrong.join(", ")}`,
    );
  }
}

function explainStats({ rows, stats, columns }: FileInLog): string[] {
  const here = Object.values(columns)[0]!.length;
  const wrong = rows === here ? [] : [`rows is ${rows} for ${here}`];
  if (stats === undefined) return wrong;
  for (const [name, counted] of Object.entries(stats.nullCount)) {
    const nulls = columns[name]?.filter((value) => value === null).length ?? counted;
    if (counted !== nulls) wrong.push(`nullCount of ${name} is ${counted} for ${nulls}`);
  }
  for (const name of new Set([...Object.keys(stats.minValues), ...Object.keys(stats.maxValues)])) {
    const range = rangeOf(columns[name] ?? []);
    if (range === undefined) continue;
    const [min, max] = [stats.minValues[name], stats.maxValues[name]];
    if (min !== undefined && compare(min, range.min) > 0)
      wrong.push(`min of ${name} is ${min} for ${show(min, range.min)}`);
    if (max !== undefined && compare(max, range.max) < 0)
      wrong.push(`max of ${name} is ${max} for ${show(max, range.max)}`);
  }
  return wrong;
}

type LayerCell = string | number | bigint | boolean;

function rangeOf(values: readonly unknown[]): { min: LayerCell; max: LayerCell } | undefined {
  let [min, max]: (LayerCell | undefined)[] = [];
  for (const value of values as readonly (LayerCell | null)[]) {
    if (value === null) continue;
    if (min === undefined || compareCells(value, min) < 0) min = value;
    if (max === undefined || compareCells(value, max) > 0) max = value;
  }
  return min === undefined || max === undefined ? undefined : { min, max };
}

function compareCells(left: LayerCell, right: LayerCell): number {
  if (typeof left === "string") return compareText(left, String(right));
  return left < right ? -1 : Number(left > right);
}

/**
 * Compares a bound from the log with a cell. Timestamps are text in the log, precise to the millisecond, and
 * microseconds in the file.
 */
function compare(bound: string | number, cell: LayerCell): number {
  if (typeof bound === "string" && typeof cell === "number") return Date.parse(bound) - Math.floor(cell / 1000);
  return compareCells(bound, cell);
}

function show(bound: string | number, cell: LayerCell): string {
  const isTime = typeof bound === "string" && typeof cell === "number";
  return isTime ? new Date(cell / 1000).toISOString() : String(cell);
}
