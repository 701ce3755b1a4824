import { ask, gold, literal } from "./client.ts";
import { count, day, dollars, centsOf, month, weekdays, words } from "./format.ts";

/** The key of each gold table, in the order of its primary key. */
export const goldKeys: Readonly<Record<string, readonly string[]>> = {
  daily_sales_summary: ["order_date"],
  hourly_trends: ["order_date", "hour"],
  revenue_analytics: ["order_date", "store_id", "channel"],
  monthly_sales_summary: ["month"],
  pizza_performance: ["month", "pizza_id"],
  pizza_type_performance: ["month", "pizza_type_id"],
  category_performance: ["month", "category"],
  size_performance: ["month", "size"],
  geographic_sales: ["month", "state", "city"],
  customer_segments: ["customer_key"],
  sales_items: ["order_date", "store_id", "channel", "pizza_id"],
  sales_hours: ["order_date", "hour", "store_id", "channel"],
};

const moneyColumns = new Set(["revenue", "cost", "margin", "avg_order_value", "monetary"]);
/** Columns whose values over several rows add up. */
const summed = new Set(["orders", "order_lines", "pizzas", "revenue", "cost", "margin"]);
/** Columns by which the rows of a sum may be chosen. */
const filters = ["hour", "weekday", "store_id", "channel", "pizza_id", "pizza_type_id", "size", "state", "city"];

/** A cell of gold as the console shows it. */
export function showCell(column: string, value: string | null): string {
  if (value === null) return "—";
  if (moneyColumns.has(column) || column.startsWith("revenue_7") || column === "revenue_month_to_date")
    return dollars(centsOf(value));
  return /^-?\d+$/.test(value) ? count(Number(value)) : value;
}

/** The value of a key column in words. */
export function showKey(column: string, value: string): string {
  if (column === "order_date") return day(value);
  if (column === "month") return month(value);
  if (column === "hour") return `${value.padStart(2, "0")}:00`;
  if (column === "weekday") return weekdays[Number(value) - 1] ?? value;
  return column === "channel" ? words(value).toLowerCase() : value;
}

/** The address that explains one cell of gold. */
export function cellHref(table: string, key: readonly string[], column: string): string {
  const params = new URLSearchParams({ table, column });
  for (const part of key) params.append("key", part);
  return `/console/explain?${params.toString()}`;
}

/** The address that lists the rows of gold behind a sum: days (or months) from and to, and other conditions. */
export function sumHref(
  table: string,
  column: string,
  where: { from: string; to: string } & Partial<Record<string, string>>,
): string {
  const params = new URLSearchParams({ table, column });
  for (const [name, value] of Object.entries(where)) if (value) params.set(name, value);
  return `/console/explain?${params.toString()}`;
}

/** Rows of gold that add up to a number. */
export interface SummedRows {
  total: string;
  rows: { key: string[]; value: string }[];
  rowCount: number;
}

const mostRows = 400;

/** Reads the rows of gold behind a sum. Throws if the table or column has no sum. */
export async function readSum(params: URLSearchParams): Promise<SummedRows> {
  const table = params.get("table") ?? "";
  const column = params.get("column") ?? "";
  const key = Object.hasOwn(goldKeys, table) ? goldKeys[table]! : [];
  if (key.length === 0 || !summed.has(column)) throw new Error(`gold.${table} has no sum of ${column}`);
  const time = key[0]!;
  const conditions = [
    ...(params.has("from") ? [`${time} >= ${literal(params.get("from")!)}::date`] : []),
    ...(params.has("to") ? [`${time} <= ${literal(params.get("to")!)}::date`] : []),
    ...filters.filter((name) => params.has(name)).map((name) => `${name}::text = ${literal(params.get(name)!)}`),
  ];
  const where = conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`;
  const columns = key.map((name) => `${name}::text as ${name}`).join(", ");
  const [rows, [all]] = await Promise.all([
    gold<Record<string, string>>(
      `select ${columns}, ${column}::text as value from gold.${table} ${where} order by ${key.join(", ")} limit ${mostRows}`,
    ),
    gold<{ total: string; rows: string }>(
      `select coalesce(sum(${column}), 0)::text as total, count(*)::text as rows from gold.${table} ${where}`,
    ),
  ]);
  return {
    total: all!.total,
    rowCount: Number(all!.rows),
    rows: rows.map((row) => ({ key: key.map((name) => row[name]!), value: row["value"]! })),
  };
}

type Catalog = Awaited<ReturnType<typeof loadCatalog>>;
let catalog: Promise<Catalog> | undefined;

async function loadCatalog() {
  const { stores, pizzas } = await ask("catalog", {});
  return {
    stores: new Map(stores.map((store) => [store.store_id, store as typeof store & { city?: string; state?: string }])),
    pizzas: new Map(pizzas.map((pizza) => [pizza.pizza_id, pizza])),
  };
}

/** Stores and pizzas by id; asked for once. */
export function readCatalog(): Promise<Catalog> {
  catalog ??= loadCatalog();
  catalog.catch(() => (catalog = undefined));
  return catalog;
}

/** `The Five Cheese Pizza` as `Five Cheese`. */
export function shortPizza(name: string): string {
  return name.replace(/^The /, "").replace(/ Pizza$/, "");
}
