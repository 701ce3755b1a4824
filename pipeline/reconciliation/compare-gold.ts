import type { DeltaTable, Snapshot } from "../delta/table.ts";
import { errorCode, errorMessage } from "../domain/errors.ts";
import type { Findings, Sales } from "../domain/receipt.ts";
import { readDayFacts, type WindowSql, readFacts, toJson } from "../gold/facts.ts";
import { compareCommits } from "../gold/published-commit.ts";
import type { CustomerSql } from "../gold/publish-windows.ts";
import type { LakeQuery, LakeTable, Warehouse } from "../ports.ts";
import type { SilverTable } from "./read-layers.ts";

const keys = ["orders", "lines", "pizzas", "cents"] as const;
/** One comparison has a fixed cost of about twenty days of the classic year, so it covers many days. */
const mostDays = 120;
/** The RDS Data API accepts 4 MiB per request; the size of the last document limits the days in the next one. */
const mostBytes = 3_000_000;

/** Reads sales from a query row; a missing column counts as 0. */
function readSales(row: Record<string, unknown>): Sales {
  const [orders, lines, pizzas, cents] = keys.map((key) => Number(row[key] ?? 0));
  return { orders: orders!, lines: lines!, pizzas: pizzas!, cents: cents! };
}

/** Adds up the sales of several days. */
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

/** Formats sales for a finding, money in dollars: `2 orders, 3 lines, 4 pizzas, 53.00`. */
export function showSales({ orders, lines, pizzas, cents }: Sales): string {
  return `${orders} orders, ${lines} lines, ${pizzas} pizzas, ${(cents / 100).toFixed(2)}`;
}

/** The tables, engines and SQL that the comparison of gold with silver reads. */
export interface GoldSources {
  silver: DeltaTable;
  lake: LakeQuery;
  warehouse: Warehouse;
  goldSql: WindowSql & CustomerSql;
  checks: {
    /** Lake: sales per day. */
    silverDays: string;
    /** Warehouse: sales per day, with the silver version that each day shows. */
    goldDays: string;
    /** Warehouse: facts that differ from those in the JSON document `$1`. */
    goldFacts: string;
    /** Warehouse: rows that differ from what the facts add up to. */
    goldSums: string;
    /** Warehouse: tables of gold that differ from their definition. */
    goldShape: string;
    /** Warehouse: rows of reported tables that differ from the sums of the star. */
    goldControls: string;
  };
}

interface GoldDay {
  sales: Sales;
  /** The silver version that the day shows. */
  version: number;
  hasCustomers: boolean;
}

/**
 * Compares every published day of gold with silver, cell by cell, and adds a finding for each difference. A day that
 * silver has changed since it was published is listed as unpublished and is not a finding.
 */
export async function compareGold(
  sources: GoldSources,
  { table, snapshot }: { table: SilverTable; snapshot: Snapshot },
  findings: Findings,
): Promise<{ silver: Sales; gold: Sales; unpublishedDays: string[] }> {
  const silverDays = await readSilverDays(sources, table());
  const ask = await createGoldQuery(sources, findings);
  const goldDays = await readGoldDays(sources, ask);
  const { lost, isReplaced } = await compareCommits(sources);
  if (isReplaced) findings.add("gold = silver", "published commits of silver were replaced", lost!);
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
    compareFacts(sources, { table, shown: shown!, goldDays, ask }, findings),
    noteOffenders(ask(sources.checks.goldSums), ["gold adds up", "the daily facts"], findings),
    noteOffenders(ask(sources.checks.goldControls), ["the star adds up", "the sums of the star"], findings),
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

type GoldQuery = (sql: string, parameters?: readonly unknown[]) => Promise<Record<string, unknown>[]>;

const shapeInvariant = "gold has its tables";

/**
 * Adds a finding for each table of gold that differs from its definition. Returns a function that queries gold: a query
 * that a missing or altered table makes impossible is a finding too, and returns no rows.
 */
async function createGoldQuery({ warehouse, checks }: GoldSources, findings: Findings): Promise<GoldQuery> {
  const altered = await warehouse.query<{ table_name: string; example: string }>(checks.goldShape);
  for (const { table_name: name, example } of altered) {
    const sentence = `differences between ${name} and its definition`;
    findings.add(
      shapeInvariant,
      sentence,
      `${example}: put it back as sql/migrations/ defines it, then ./pizza rebuild --gold`,
    );
  }
  return async (sql, parameters) => {
    try {
      return await warehouse.query(sql, parameters);
    } catch (error) {
      if (altered.length === 0 && !isAboutTables(error)) throw error;
      const sentence = "comparisons of gold are impossible with the tables as they are";
      findings.add(shapeInvariant, sentence, `${errorMessage(error)}: put the table back, or ./pizza restore a backup`);
      return [];
    }
  };
}

/** Whether an error is one of PostgreSQL's class 42: a table, a column or a type is not what the SQL expects. */
function isAboutTables(error: unknown): boolean {
  return /^42...$/.test(errorCode(error)) || /SQLState: 42/.test(errorMessage(error));
}

async function readGoldDays({ checks }: GoldSources, ask: GoldQuery): Promise<Map<string, GoldDay>> {
  const rows = await ask(checks.goldDays);
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

/** Computes the facts of the shown days from silver again and compares them in the warehouse. */
async function compareFacts(
  { lake, goldSql, checks }: GoldSources,
  {
    table,
    shown,
    goldDays,
    ask,
  }: { table: SilverTable; shown: string[]; goldDays: ReadonlyMap<string, GoldDay>; ask: GoldQuery },
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

  /** Compares one document and returns its length in characters. */
  async function compareDocument(document: Record<string, unknown>): Promise<number> {
    const text = toJson(document);
    await noteOffenders(ask(checks.goldFacts, [text]), ["gold = silver", "silver"], findings);
    return text.length;
  }
}

async function noteOffenders(
  offenders: Promise<Record<string, unknown>[]>,
  [invariant, source]: [invariant: string, source: string],
  findings: Findings,
): Promise<void> {
  for (const { table_name: name, example } of await offenders) {
    findings.add(invariant, `rows of ${String(name)} differ from ${source}`, String(example));
  }
}

/**
 * Returns a function that checks whether silver changed a day after a version. It reads the log once per version, and
 * returns true if the log no longer goes back that far.
 */
function createChangedSince(silver: DeltaTable, upTo: number) {
  const changes = new Map<number, Promise<{ partitions: Set<string> } | undefined>>();
  return async (date: string, version: number): Promise<boolean> => {
    if (version >= upTo) return false;
    if (!changes.has(version)) changes.set(version, silver.changes(version, upTo));
    const known = await changes.get(version);
    return known === undefined || known.partitions.has(date);
  };
}
