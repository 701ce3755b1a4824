import { rmSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { openDuckDbLake } from "../../adapters/duckdb.ts";
import { openFolderStore } from "../../adapters/folder-store.ts";
import type { OrderEvent } from "../../pipeline/domain/generated/order-event.types.ts";
import { readDayFacts, toJson } from "../../pipeline/gold/facts.ts";
import { callPublish } from "../../pipeline/gold/publish-windows.ts";
import type { LakeRow } from "../../pipeline/ports.ts";
import { silverLakeTable } from "../../pipeline/silver/tables.ts";
import { goldSql, openBenchPipeline, openRefinery, refineAll } from "../bench-pipeline.ts";
import type { Case, Runner, BenchSetting } from "../case.ts";
import { classicEvents, openClassicYear, prepareClassicYear } from "../classic-year.ts";
import { readAll } from "../memory-store.ts";

/** Days that get one more order before each round. The watermark has passed the one in June but not the last day. */
const openDay = "2015-12-31";
const reportedDay = "2015-06-17";

const publishing: Case = {
  title: "publishing one changed day against a full year of gold, embedded PostgreSQL",
  unit: "days",
  prepare: prepareClassicYear,
  variants: {
    "an open day": (setting) => publishDay(setting, "open", openDay),
    "a reported day, with its corrections": (setting) => publishDay(setting, "reported", reportedDay),
    "a chain's full day, 100 of its rows changed": publishChainDay,
    "plain: an upsert a row": (setting) => upsertDay(setting, "upsert", openDay),
  },
};

export default publishing;

async function publishDay(setting: BenchSetting, name: string, date: string): Promise<Runner> {
  const { pipeline, close } = await openYear(setting, name);
  const addOrder = orderAdder(date);
  let version = -1;
  return {
    async before() {
      await pipeline.land([addOrder()]);
      ({ version } = await pipeline.refine());
      pipeline.warehouse.seconds = 0;
    },
    async run() {
      const { published, rowsChanged, corrections } = await pipeline.publish([date], version);
      if (published !== 1) throw new Error(`publishing ${date}: version ${version} was skipped, but it must be new`);
      return { units: 1, figures: { warehouseMs: pipeline.warehouse.seconds * 1000, rowsChanged, corrections } };
    },
    close,
  };
}

/**
 * A chain that sells each of 91 pizzas in each of 12 stores and 4 channels every day, in 13 hours: 4,368 rows of items
 * and 624 of hours a day. Gold has two months of it.
 */
async function publishChainDay(setting: BenchSetting): Promise<Runner> {
  const pipeline = await openBenchPipeline({ dir: setting.dir, name: "chain-day", lakeFolder: setting.dir });
  const warehouse = pipeline.warehouse;
  const dates = Array.from({ length: 60 }, (_, day) => new Date(Date.UTC(2015, 4, 1 + day)).toISOString().slice(0, 10));
  let version = 0;
  for (const date of dates) await callPublish(warehouse, "ops.publish_windows", chainDocument([date], version, 0));
  await warehouse.query("select ops.report_windows($1::date)", ["2015-06-01"]);
  return {
    async before() {
      version += 1;
      warehouse.seconds = 0;
    },
    async run() {
      const document = chainDocument([reportedDay], version, version);
      const started = performance.now();
      const { published, rowsChanged, corrections } = await callPublish(warehouse, "ops.publish_windows", document);
      if (published !== 1) throw new Error(`publishing ${reportedDay}: version ${version} was skipped`);
      return { units: 1, figures: { warehouseMs: performance.now() - started, rowsChanged, corrections } };
    },
    close: () => pipeline.close(),
  };
}

/** The document that publishes chain days; a change adds a pizza to each of 91 items and 9 hours of the first store. */
function chainDocument(windows: readonly string[], version: number, change: number): string {
  const [stores, channels] = [
    Array.from({ length: 12 }, (_, n) => `store-${10 + n}`),
    ["dine_in", "takeaway", "delivery", "online"],
  ];
  const pizzas = Array.from({ length: 91 }, (_, n) => ({ pizza_id: `pizza_${n}_m`, pizza_type_id: `pizza_${n}` }));
  const sums = (count: number) => ({
    order_lines: 3,
    pizzas: count,
    revenue_cents: 1325 * count,
    cost_cents: 438 * count,
  });
  const cells = windows.flatMap((order_date) =>
    stores.flatMap((store_id, store) =>
      channels.map((channel, place) => ({ order_date, store_id, channel, isFirst: store + place === 0 })),
    ),
  );
  return toJson({
    silver_version: version,
    windows,
    day_totals: windows.map((order_date) => ({ order_date, orders: 6000, customers: 900, ...sums(13_104 + change) })),
    day_items: windows.flatMap((order_date) =>
      pizzas.map((pizza) => ({
        order_date,
        ...pizza,
        name: pizza.pizza_type_id,
        category: "Classic",
        size: "M",
        orders: 60,
        type_orders: 60,
        category_orders: 60,
        size_orders: 60,
        ...sums(144 + change),
      })),
    ),
    day_stores: cells.map(({ isFirst, ...cell }) => ({
      ...cell,
      city: cell.store_id,
      state: "NY",
      orders: 125,
      ...sums(273 + (isFirst ? change : 0)),
    })),
    sales_items: cells.flatMap(({ isFirst, ...cell }) =>
      pizzas.map(({ pizza_id }) => ({ ...cell, pizza_id, ...sums(3 + (isFirst ? change : 0)) })),
    ),
    sales_hours: cells.flatMap(({ isFirst, ...cell }) =>
      Array.from({ length: 13 }, (_, n) => ({
        ...cell,
        hour: 10 + n,
        orders: 10,
        ...sums(21 + (isFirst && n < 9 ? change : 0)),
      })),
    ),
    history: windows,
  });
}

async function upsertDay(setting: BenchSetting, name: string, date: string): Promise<Runner> {
  const { pipeline, folder, close } = await openYear(setting, name);
  const client = new Client({ connectionString: pipeline.ownerUrl });
  await client.connect();
  await createPlainTables(client);
  const lake = await openDuckDbLake({ root: folder });
  const table = silverLakeTable(await pipeline.silver.snapshot(), [date]);
  return {
    async run() {
      const facts = await readDayFacts(lake, { sql: goldSql, table, windows: [date] });
      const started = performance.now();
      const rowsChanged = await upsertFacts(client, facts);
      return { units: 1, figures: { warehouseMs: performance.now() - started, rowsChanged } };
    },
    async close() {
      await client.end();
      await lake.close();
      await close();
    },
  };
}

/** The classic year in silver and gold, including customers, with all days but the last reported. */
async function openYear(setting: BenchSetting, name: string) {
  const folder = join(setting.dir, `publishing-${name}`);
  rmSync(folder, { recursive: true, force: true });
  const store = openFolderStore(folder);
  for (const [key, body] of await readAll(openClassicYear(setting, "batched").store, "")) await store.put(key, body);
  await refineAll(openRefinery(store));
  const pipeline = await openBenchPipeline({ dir: setting.dir, name, lakeFolder: folder });
  await pipeline.publishChanged();
  await pipeline.publishCustomerDays();
  await pipeline.warehouse.query("select ops.report_windows($1::date)", [openDay]);
  const close = async () => {
    await pipeline.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { pipeline, folder, close };
}

/** Copies of the day's first order, each with a new id. */
function orderAdder(date: string): () => OrderEvent {
  const template = classicEvents().find(({ ordered_at }) => ordered_at.startsWith(date))!;
  let added = 0;
  return () => ({ ...template, order_id: `${template.order_id}-again-${(added += 1)}` });
}

/** The fact tables and their keys. */
const keys = {
  day_totals: ["order_date"],
  day_items: ["order_date", "pizza_id"],
  day_stores: ["store_id", "channel", "order_date"],
  sales_items: ["order_date", "store_id", "channel", "pizza_id"],
  sales_hours: ["order_date", "hour", "store_id", "channel"],
} as const;

type FactTable = keyof typeof keys;

const factTables = ["day_totals", "day_items", "day_stores", "sales_items", "sales_hours"] as const;

/** One connection to PostgreSQL. */
interface PlainClient {
  query(sql: string, parameters?: unknown[]): Promise<unknown>;
}

/** Creates plain copies of the fact tables: no gold tables, no ledger, no locks. */
async function createPlainTables(client: PlainClient): Promise<void> {
  await client.query("create schema plain");
  const cents = "(revenue * 100)::bigint as revenue_cents, (cost * 100)::bigint as cost_cents";
  const star = { sales_items: "order_lines, pizzas", sales_hours: "orders, order_lines, pizzas" };
  for (const table of factTables) {
    const key = keys[table].join(", ");
    const rows =
      table === "sales_items" || table === "sales_hours"
        ? `select ${key}, ${star[table]}, ${cents} from gold.${table}`
        : `select * from facts.${table}`;
    await client.query(`create table plain.${table} as ${rows}`);
    await client.query(`alter table plain.${table} add primary key (${key})`);
  }
}

/** The simplest publication: one upsert per row in one transaction; returns the number of rows. */
async function upsertFacts(client: PlainClient, facts: Record<FactTable, LakeRow[]>): Promise<number> {
  await client.query("begin");
  for (const table of factTables) {
    const rows = facts[table];
    const sql = upsertOf(table, Object.keys(rows[0] ?? {}));
    for (const row of rows) await client.query(sql, Object.values(row).map(String));
  }
  await client.query("commit");
  return factTables.reduce((sum, table) => sum + facts[table].length, 0);
}

function upsertOf(table: FactTable, columns: readonly string[]): string {
  const values = columns.map((_, index) => `$${index + 1}`);
  const updates = columns.map((column) => `${column} = excluded.${column}`);
  return `insert into plain.${table} (${columns.join(", ")}) values (${values.join(", ")})
    on conflict (${keys[table].join(", ")}) do update set ${updates.join(", ")}`;
}
