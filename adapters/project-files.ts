import { readdirSync, readFileSync } from "node:fs";
import { createCatalog, type Catalog, type Pizza, type Store } from "../pipeline/domain/catalog.ts";
import { qualityRules } from "../pipeline/domain/quality-rules.ts";
import { dayQueries, type WindowSql } from "../pipeline/gold/facts.ts";
import type { CatalogFiles } from "../pipeline/gold/migrate.ts";
import type { GoldSql } from "../pipeline/gold/publish-windows.ts";
import type { ReceiptChecks } from "../pipeline/reconciliation/verify-receipt.ts";
import type { TraceSql } from "../pipeline/trace/trace-order.ts";

const root = new URL("../", import.meta.url);

/** Text of a project file, such as `sql/gold/daily.sql`. */
export function readProjectFile(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

/** A project file parsed as JSON. */
export function readProjectJson<Value>(path: string): Value {
  const text = readProjectFile(path);
  try {
    return JSON.parse(text) as Value;
  } catch (cause) {
    throw new Error(`${path} is not valid JSON (${(cause as Error).message}): correct it, or take it from git`, {
      cause,
    });
  }
}

/**
 * The folder of menu.json, stores.json and ingredient-costs.json. Tests set the variable, because `data/` belongs to the chain and may change.
 */
const catalogFolder = process.env["PIZZA_CATALOG"] ?? "data";

/** Every version of every pizza, in the file's order. */
export function readMenu(): Pizza[] {
  return readProjectJson(`${catalogFolder}/menu.json`);
}

/** Every version of every store, in the file's order. */
export function readStores<Item extends Store>(): Item[] {
  return readProjectJson(`${catalogFolder}/stores.json`);
}

/** The files of the menu, the stores and the ingredients, as gold shows them. */
export function readCatalogFiles(): CatalogFiles {
  const ingredients = readProjectJson<CatalogFiles["ingredients"]>(`${catalogFolder}/ingredient-costs.json`);
  return { menu: readMenu(), stores: readStores(), ingredients };
}

/** The chain's menu and stores. */
export function loadCatalog(): Catalog {
  return createCatalog(readMenu(), readStores());
}

/** SQL of the quality rules by name, from `sql/checks/`. */
export function loadQualitySql(): ReadonlyMap<string, string> {
  const names = qualityRules.flatMap(({ source }) => (source.on === "receipt" ? [] : [source.sql]));
  return new Map(names.map((name) => [name, readProjectFile(`sql/checks/${name}.sql`)]));
}

/** Migrations of `sql/migrations/`, in order. */
export function loadMigrations(): { name: string; sql: string }[] {
  const names = readdirSync(new URL("sql/migrations/", root)).filter((name) => name.endsWith(".sql"));
  return names.toSorted().map((name) => ({ name, sql: readProjectFile(`sql/migrations/${name}`) }));
}

/** Lake SQL that computes gold, from `sql/gold/`. */
export function loadGoldSql(): GoldSql {
  return {
    ...(Object.fromEntries(dayQueries.map((name) => [name, readProjectFile(`sql/gold/${name}.sql`)])) as WindowSql),
    customerDays: readProjectFile("sql/gold/customer-days.sql"),
  };
}

/** SQL of the receipt, from `sql/checks/`. */
export function loadChecks(): ReceiptChecks {
  return {
    quarantinedEvents: readProjectFile("sql/checks/quarantined-events.sql"),
    silverDays: readProjectFile("sql/checks/silver-days.sql"),
    silverRepeats: readProjectFile("sql/checks/silver-repeats.sql"),
    goldDays: readProjectFile("sql/checks/gold-days.sql"),
    goldFacts: readProjectFile("sql/checks/gold-facts.sql"),
    goldSums: readProjectFile("sql/checks/gold-sums.sql"),
    goldShape: readProjectFile("sql/checks/gold-shape.sql"),
    goldControls: readProjectFile("sql/checks/gold-controls.sql"),
  };
}

/** Lake SQL that lists the quarantine, from `sql/checks/`. */
export function loadQuarantinedSql(): string {
  return readProjectFile("sql/checks/rejected-events.sql");
}

/** SQL that traces an order, from `sql/trace/` and `sql/checks/`. */
export function loadTraceSql(): TraceSql {
  return {
    orderLines: readProjectFile("sql/trace/order-lines.sql"),
    goldRows: readProjectFile("sql/trace/gold-rows.sql"),
    rejectedEvents: loadQuarantinedSql(),
  };
}
