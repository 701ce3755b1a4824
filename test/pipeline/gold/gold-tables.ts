import type { Warehouse } from "../../../pipeline/ports.ts";

/** The primary key of every gold table whose changes are corrections. */
export const goldKeys = {
  category_performance: ["month", "category"],
  customer_segments: ["customer_key"],
  daily_sales_summary: ["order_date"],
  geographic_sales: ["month", "state", "city"],
  hourly_trends: ["order_date", "hour"],
  monthly_sales_summary: ["month"],
  pizza_performance: ["month", "pizza_id"],
  pizza_type_performance: ["month", "pizza_type_id"],
  revenue_analytics: ["order_date", "store_id", "channel"],
  size_performance: ["month", "size"],
};

/** The primary key of the facts in gold: they are computed from order lines too, and have no corrections. */
export const starKeys = {
  sales_items: ["order_date", "store_id", "channel", "pizza_id"],
  sales_hours: ["order_date", "hour", "store_id", "channel"],
};

/** Reads every value of the corrected tables, or of some, as text by `table key column`. */
export async function readGold(
  warehouse: Warehouse,
  tables: readonly string[] = Object.keys(goldKeys),
): Promise<Map<string, string>> {
  const cells = new Map<string, string>();
  for (const [table, keys] of Object.entries(goldKeys).filter(([name]) => tables.includes(name))) {
    const key = keys.map((name) => `t.${name}::text`).join(" || '/' || ");
    const rows = await warehouse.query<{ key: string; name: string; value: string | null }>(
      `select ${key} as key, cell.key as name, cell.value as value
       from gold.${table} as t, jsonb_each_text(to_jsonb(t) - 'silver_version' - 'published_at') as cell
       where cell.key <> all (string_to_array($1, ','))`,
      [keys.join()],
    );
    for (const row of rows) cells.set(`${table} ${row.key} ${row.name}`, String(row.value));
  }
  return cells;
}

/** Returns the values that differ, in order, as `table key column: before -> after`. */
export function compareGold(before: Map<string, string>, after: Map<string, string>): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return names
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => `${name}: ${before.get(name) ?? "null"} -> ${after.get(name) ?? "null"}`);
}

/** Reads the corrections ledger in the same form. */
export async function readCorrections(warehouse: Warehouse): Promise<string[]> {
  const rows = await warehouse.query<{
    table_name: string;
    key: Record<string, unknown>;
    column_name: string;
    old_value: string | null;
    new_value: string | null;
  }>("select table_name, key, column_name, old_value, new_value from ops.corrections");
  const lines = rows.map(({ table_name, key, column_name, old_value, new_value }) => {
    const table = table_name.replace("gold.", "");
    const keys: string[] = Object.entries(goldKeys).find(([name]) => name === table)?.[1] ?? [];
    return `${table} ${keys.map((name) => key[name]).join("/")} ${column_name}: ${old_value} -> ${new_value}`;
  });
  return lines.toSorted();
}
