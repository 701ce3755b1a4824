import type { LakeRow } from "../lambdas/ports.ts";

/** The facts' tables and their keys. */
const keys = {
  day_totals: ["order_date"],
  day_hours: ["order_date", "hour"],
  day_items: ["order_date", "pizza_id"],
  day_stores: ["store_id", "channel", "order_date"],
} as const;

type FactTable = keyof typeof keys;

const factTables = ["day_totals", "day_hours", "day_items", "day_stores"] as const;

/** One connection to PostgreSQL. */
interface PlainClient {
  query(sql: string, parameters?: unknown[]): Promise<unknown>;
}

/** Makes plain copies of the facts' tables: no gold tables, no ledger, no locks. */
export async function createPlainTables(client: PlainClient): Promise<void> {
  await client.query("create schema plain");
  for (const table of factTables) {
    await client.query(`create table plain.${table} (like facts.${table} including all)`);
    await client.query(`insert into plain.${table} select * from facts.${table}`);
  }
}

/** The plainest publish: one upsert a row, all of them in one transaction; returns how many. */
export async function upsertFacts(client: PlainClient, facts: Record<FactTable, LakeRow[]>): Promise<number> {
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
