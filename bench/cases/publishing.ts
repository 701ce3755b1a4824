import { rmSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { openDuckDbLake } from "../../adapters/duckdb.ts";
import { openFolderStore } from "../../adapters/folder-store.ts";
import type { OrderEvent } from "../../pipeline/domain/generated/order-event.types.ts";
import { readDayFacts } from "../../pipeline/gold/facts.ts";
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
