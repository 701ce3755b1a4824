import type { DeltaTable, Snapshot } from "../delta/table.ts";
import type { Findings, Sales } from "../domain/receipt.ts";
import { readDayFacts, type WindowSql, readFacts, toJson } from "../gold/facts.ts";
import type { CustomerSql } from "../gold/publish-windows.ts";
import type { LakeQuery, LakeTable, Warehouse } from "../ports.ts";
import type { SilverTable } from "./read-layers.ts";

const keys = ["orders", "lines", "pizzas", "cents"] as const;

/** Sales from a row of a query; what it does not have counts as none. */
function readSales(row: Record<string, unknown>): Sales {
  const [orders, lines, pizzas, cents] = keys.map((key) => Number(row[key] ?? 0));
  return { orders: orders!, lines: lines!, pizzas: pizzas!, cents: cents! };
}

/** The sum of some sales. */
function totalSales(days: Iterable<Sales>): Sales {
  const sum = { orders: 0, lines: 0, pizzas: 0, cents: 0 };
  for (const day of days) {
    for (const key of keys) sum[key] += day[key];
  }
  return sum;
}

/** Whether two sales are equal to the cent. */
export function isSameSales(a: Sales, b: Sales): boolean {
  return keys.every((key) => a[key] === b[key]);
}

/** Sales in words. */
export function showSales({ orders, lines, pizzas, cents }: Sales): string {
  return `${orders} orders, ${lines} lines, ${pizzas} pizzas, ${(cents / 100).toFixed(2)}`;
}

/** What gold is compared with silver by. */
export interface GoldSources {
  silver: DeltaTable;
  lake: LakeQuery;
  warehouse: Warehouse;
  goldSql: WindowSql & CustomerSql;
  checks: {
    /** Lake: sales per day. */
    silverDays: string;
    /** Warehouse: sales per day, with the versions of silver that are shown. */
    goldDays: string;
    /** Warehouse: facts that are not those of the document `$1`. */
    goldFacts: string;
    /** Warehouse: rows that are not what the facts make. */
    goldSums: string;
  };
}

interface GoldDay {
  sales: Sales;
  /** Version of silver that it shows. */
  version: number;
  hasCustomers: boolean;
}

/** Compares every published day with silver, cell by cell; a day that silver changed since is only unpublished. */
export async function compareGold(
  sources: GoldSources,
  { table, snapshot }: { table: SilverTable; snapshot: Snapshot },
  findings: Findings,
): Promise<{ silver: Sales; gold: Sales; unpublishedDays: string[] }> {
  const silverDays = await readSilverDays(sources, table());
  const goldDays = await readGoldDays(sources);
  const changedSince = createChangedSince(sources.silver, snapshot.version);
  const [shown, unpublishedDays]: string[][] = [[], []];
  for (const date of [...new Set([...snapshot.partitions.keys(), ...goldDays.keys()])].toSorted()) {
    const { sales, version } = goldDays.get(date) ?? unpublished;
    if (version > snapshot.version) {
      findings.add(
        "gold = silver",
        `days show a later version of silver than ${snapshot.version}`,
        `${date}: ${version}`,
      );
    }
    if (await changedSince(date, version)) {
      if (!isSameSales(silverDays.get(date) ?? noSales, sales)) unpublishedDays!.push(date);
      continue;
    }
    shown!.push(date);
    compareDay({ date, here: silverDays.get(date) ?? noSales, there: sales }, findings);
  }
  await Promise.all([
    compareFacts(sources, { table, shown: shown!, goldDays }, findings),
    noteOffenders(sources.warehouse.query(sources.checks.goldSums), ["gold adds up", "the days make"], findings),
  ]);
  return {
    silver: totalSales(silverDays.values()),
    gold: totalSales([...goldDays.values()].map(({ sales }) => sales)),
    unpublishedDays: unpublishedDays!,
  };
}

const noSales = readSales({});
const unpublished: GoldDay = { sales: noSales, version: -1, hasCustomers: false };

async function readSilverDays({ lake, checks }: GoldSources, table: LakeTable): Promise<Map<string, Sales>> {
  const rows = await lake.query(checks.silverDays, [], [table]);
  return new Map(rows.map((row) => [String(row["order_date"]), readSales(row)]));
}

async function readGoldDays({ warehouse, checks }: GoldSources): Promise<Map<string, GoldDay>> {
  const rows = await warehouse.query(checks.goldDays);
  return new Map(
    rows.map((row) => [
      String(row["order_date"]),
      {
        sales: readSales(row),
        version: Number(row["silver_version"] ?? -1),
        hasCustomers: row["has_customers"] === true,
      },
    ]),
  );
}

function compareDay({ date, here, there }: { date: string; here: Sales; there: Sales }, findings: Findings): void {
  if (isSameSales(here, there)) return;
  findings.add(
    "gold = silver",
    "days differ between silver and gold",
    `${date}: ${showSales(there)} for ${showSales(here)}`,
  );
}

/** A comparison costs as much as some twenty days of the classic year, so many days are compared at once. */
const mostDays = 120;
/** The RDS Data API takes 4 MiB; the largest document so far says how many days the next may hold. */
const mostBytes = 3_000_000;

/** Works the facts of the shown days out from silver once more, and lets the warehouse compare them. */
async function compareFacts(
  { lake, warehouse, goldSql, checks }: GoldSources,
  { table, shown, goldDays }: { table: SilverTable; shown: string[]; goldDays: ReadonlyMap<string, GoldDay> },
  findings: Findings,
): Promise<void> {
  const dates = shown.toSorted();
  let bytesPerDay = mostBytes / 30;
  for (let start = 0; start < dates.length;) {
    const days = Math.min(mostDays, Math.max(1, Math.floor(mostBytes / bytesPerDay)));
    const windows = dates.slice(start, start + days);
    const bytes = Math.max(...(await Promise.all([compareDays(windows), compareCustomers(windows)])));
    bytesPerDay = bytes / windows.length;
    start += windows.length;
  }

  async function compareDays(windows: string[]): Promise<number> {
    const facts = await readDayFacts(lake, { sql: goldSql, table: table(windows), windows });
    return await compareDocument({ windows, ...facts });
  }

  async function compareCustomers(windows: string[]): Promise<number> {
    const counted = windows.filter((date) => goldDays.get(date)?.hasCustomers);
    if (counted.length === 0) return 0;
    const sql = goldSql.customerDays;
    const customers = await readFacts(lake, { sql, table: table(counted), windows: counted });
    return await compareDocument({ windows: counted, customer_days: customers });
  }

  /** Gives the size of the document. */
  async function compareDocument(document: Record<string, unknown>): Promise<number> {
    const text = toJson(document);
    await noteOffenders(warehouse.query(checks.goldFacts, [text]), ["gold = silver", "silver makes"], findings);
    return text.length;
  }
}

async function noteOffenders(
  offenders: Promise<Record<string, unknown>[]>,
  [invariant, maker]: [invariant: string, maker: string],
  findings: Findings,
): Promise<void> {
  for (const { table_name: name, example } of await offenders) {
    findings.add(invariant, `rows of ${String(name)} are not what ${maker}`, String(example));
  }
}

/** Answers whether silver changed a day after a version; one look into the log per version. */
function createChangedSince(silver: DeltaTable, upTo: number) {
  const changes = new Map<number, Promise<{ partitions: Set<string> } | undefined>>();
  return async (date: string, version: number): Promise<boolean> => {
    if (version >= upTo) return false;
    if (!changes.has(version)) changes.set(version, silver.changes(version, upTo));
    const known = await changes.get(version);
    return known === undefined || known.partitions.has(date);
  };
}
