import type { Findings, Sales } from "../domain/receipt.ts";
import { readFacts, toJson } from "../gold/lake-facts.ts";
import type { CustomerSql } from "../gold/publish-customers.ts";
import type { WindowSql } from "../gold/publish-windows.ts";
import type { DeltaTable, Snapshot } from "../lake/delta-table.ts";
import type { LakeQuery, LakeTable, Warehouse } from "../ports.ts";
import type { SilverTable } from "./read-layers.ts";
import { isSameSales, readSales, showSales, totalSales } from "./sales.ts";

/** What gold is compared with silver by. */
export interface GoldBooks {
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
  books: GoldBooks,
  { table, snapshot }: { table: SilverTable; snapshot: Snapshot },
  findings: Findings,
): Promise<{ silver: Sales; gold: Sales; unpublishedDays: string[] }> {
  const silverDays = await readSilverDays(books, table());
  const goldDays = await readGoldDays(books);
  const changedSince = createChangedSince(books.silver, snapshot.version);
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
  await compareFacts(books, { table, shown: shown!, goldDays }, findings);
  for (const row of await books.warehouse.query(books.checks.goldSums)) {
    findings.add(
      "gold adds up",
      `rows of ${String(row["table_name"])} are not what the days make`,
      String(row["example"]),
    );
  }
  return {
    silver: totalSales(silverDays.values()),
    gold: totalSales([...goldDays.values()].map(({ sales }) => sales)),
    unpublishedDays: unpublishedDays!,
  };
}

const noSales = readSales({});
const unpublished: GoldDay = { sales: noSales, version: -1, hasCustomers: false };

async function readSilverDays({ lake, checks }: GoldBooks, table: LakeTable): Promise<Map<string, Sales>> {
  const rows = await lake.query(checks.silverDays, [], [table]);
  return new Map(rows.map((row) => [String(row["order_date"]), readSales(row)]));
}

async function readGoldDays({ warehouse, checks }: GoldBooks): Promise<Map<string, GoldDay>> {
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

/** Days whose facts are compared at once: each comparison costs as much as some twenty days of the classic year. */
const daysAtOnce = 120;

/** Works the facts of the shown days out from silver once more, and lets the warehouse compare them. */
async function compareFacts(
  { lake, warehouse, goldSql, checks }: GoldBooks,
  { table, shown, goldDays }: { table: SilverTable; shown: string[]; goldDays: ReadonlyMap<string, GoldDay> },
  findings: Findings,
): Promise<void> {
  const dates = shown.toSorted();
  for (let start = 0; start < dates.length; start += daysAtOnce) {
    const windows = dates.slice(start, start + daysAtOnce);
    const days = table(windows);
    const facts = (sql: string) => readFacts(lake, { sql, table: days, windows });
    const { dayTotals, dayHours, dayItems, dayStores, customerDays } = goldSql;
    const [totals, hours, items, stores, customers] = await Promise.all(
      [dayTotals, dayHours, dayItems, dayStores, customerDays].map(facts),
    );
    await compareDocument({ windows, day_totals: totals, day_hours: hours, day_items: items, day_stores: stores });
    const counted = windows.filter((date) => goldDays.get(date)?.hasCustomers);
    const known = customers!.filter((row) => counted.includes(String(row["order_date"])));
    await compareDocument({ windows: counted, customer_days: known });
  }

  async function compareDocument(document: Record<string, unknown>): Promise<void> {
    for (const row of await warehouse.query(checks.goldFacts, [toJson(document)])) {
      findings.add(
        "gold = silver",
        `rows of ${String(row["table_name"])} are not what silver makes`,
        String(row["example"]),
      );
    }
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
