import type { Warehouse } from "../../pipeline/ports.ts";
import { salesOf, type SilverRow } from "./silver-rows.ts";

/** A table of gold as text: the numbers of each row by its key. */
type Numbers = Record<string, string>;
/** The gold tables by name, with the columns that are plain sums over order lines. */
export type GoldNumbers = Record<string, Numbers>;

const text = (value: unknown) => String(value);
const distinct = (rows: readonly SilverRow[], value: (row: SilverRow) => string | null) =>
  new Set(rows.map(value).filter((found) => found !== null)).size;
const sum = (rows: readonly SilverRow[], value: (row: SilverRow) => number) =>
  rows.reduce((total, row) => total + value(row), 0);
const dollars = (rows: readonly SilverRow[], value: (row: SilverRow) => number) => (sum(rows, value) / 100).toFixed(2);

const measures = {
  orders: (rows: readonly SilverRow[]) =>
    text(distinct(rows, ({ date, storeId, orderId }) => `${date} ${storeId} ${orderId}`)),
  order_lines: (rows: readonly SilverRow[]) => text(rows.length),
  pizzas: (rows: readonly SilverRow[]) => text(sum(rows, ({ quantity }) => quantity)),
  customers: (rows: readonly SilverRow[]) => text(distinct(rows, ({ customer }) => customer)),
  revenue: (rows: readonly SilverRow[]) => dollars(rows, ({ revenue }) => revenue),
  cost: (rows: readonly SilverRow[]) => dollars(rows, ({ cost }) => cost),
};
type Measure = keyof typeof measures;

interface Shape {
  /** The key's columns, and their values for a line. */
  key: Record<string, (row: SilverRow) => string | number | null>;
  measures: readonly (Measure | readonly [column: string, measure: Measure])[];
}

const monthOf = ({ date }: SilverRow) => `${date.slice(0, 7)}-01`;
const dateOf = ({ date }: SilverRow) => date;

/** A second definition of gold, as plain sums of silver's lines: the SQL must have the same result. */
const shapes: Record<string, Shape> = {
  daily_sales_summary: {
    key: { order_date: dateOf },
    measures: ["orders", "order_lines", "pizzas", "customers", "revenue", "cost"],
  },
  hourly_trends: { key: { order_date: dateOf, hour: ({ hour }) => hour }, measures: ["orders", "pizzas", "revenue"] },
  monthly_sales_summary: {
    key: { month: monthOf },
    measures: ["orders", "order_lines", "pizzas", "customers", "revenue", "cost"],
  },
  pizza_performance: {
    key: { month: monthOf, pizza_id: ({ pizzaId }) => pizzaId },
    measures: ["orders", "pizzas", "revenue", "cost"],
  },
  pizza_type_performance: {
    key: { month: monthOf, pizza_type_id: ({ type }) => type },
    measures: ["orders", "pizzas", "revenue", "cost"],
  },
  category_performance: {
    key: { month: monthOf, category: ({ category }) => category },
    measures: ["orders", "pizzas", "revenue", "cost"],
  },
  size_performance: {
    key: { month: monthOf, size: ({ size }) => size },
    measures: ["orders", "pizzas", "revenue", "cost"],
  },
  revenue_analytics: {
    key: { order_date: dateOf, store_id: ({ storeId }) => storeId, channel: ({ channel }) => channel },
    measures: ["orders", "revenue", "cost"],
  },
  sales_items: {
    key: {
      order_date: dateOf,
      store_id: ({ storeId }) => storeId,
      channel: ({ channel }) => channel,
      pizza_id: ({ pizzaId }) => pizzaId,
    },
    measures: ["order_lines", "pizzas", "revenue", "cost"],
  },
  sales_hours: {
    key: {
      order_date: dateOf,
      hour: ({ hour }) => hour,
      store_id: ({ storeId }) => storeId,
      channel: ({ channel }) => channel,
    },
    measures: ["orders", "order_lines", "pizzas", "revenue", "cost"],
  },
  geographic_sales: {
    key: { month: monthOf, city: ({ city }) => city },
    measures: ["orders", "customers", "revenue", "cost"],
  },
  customer_segments: {
    key: { customer_key: ({ customer }) => customer },
    measures: [
      ["frequency", "orders"],
      ["monetary", "revenue"],
    ],
  },
};

/** The gold that these lines must produce. */
export function goldOf(lines: readonly SilverRow[]): GoldNumbers {
  const sales = salesOf(lines);
  return Object.fromEntries(Object.entries(shapes).map(([table, shape]) => [table, tableOf(sales, shape)]));
}

function tableOf(sales: readonly SilverRow[], { key, measures: wanted }: Shape): Numbers {
  const columns = Object.values(key);
  const keyed = sales.filter((row) => columns.every((column) => column(row) !== null));
  const groups = Map.groupBy(keyed, (row) => columns.map((column) => column(row)).join(" "));
  return Object.fromEntries(
    [...groups].map(([name, rows]) => [
      name,
      wanted.map((measure) => measures[typeof measure === "string" ? measure : measure[1]](rows)).join(" "),
    ]),
  );
}

const query = `select ${Object.keys(shapes)
  .map(
    (table) =>
      `(select coalesce(jsonb_agg(to_jsonb(shown) - 'silver_version' - 'published_at'), '[]') from gold.${table} as shown) as ${table}`,
  )
  .join(", ")}`;

/** All rows of gold, without their publish time and silver version. */
export type GoldRows = Record<string, Record<string, unknown>[]>;

export async function readGold(warehouse: Warehouse): Promise<GoldRows> {
  const [tables] = await warehouse.query<GoldRows>(query);
  return tables!;
}

/** The contents of gold. */
export function numbersOf(tables: GoldRows): GoldNumbers {
  return Object.fromEntries(
    Object.entries(shapes).map(([table, { key, measures: wanted }]) => [
      table,
      Object.fromEntries(
        tables[table]!.map((row) => [
          Object.keys(key)
            .map((column) => text(row[column]))
            .join(" "),
          wanted.map((measure) => shown(row, measure)).join(" "),
        ]),
      ),
    ]),
  );
}

function shown(row: Record<string, unknown>, measure: Shape["measures"][number]): string {
  const [column, kind] = typeof measure === "string" ? [measure, measure] : measure;
  // A city without named guests has no customer count.
  return kind === "revenue" || kind === "cost" ? Number(row[column]).toFixed(2) : text(row[column] ?? 0);
}

/** The rows that differ, one sentence each. */
export function differences(actual: GoldNumbers, expected: GoldNumbers): string[] {
  return Object.keys(shapes).flatMap((table) => {
    const [is, should] = [actual[table]!, expected[table]!];
    return [...new Set([...Object.keys(is), ...Object.keys(should)])]
      .filter((key) => is[key] !== should[key])
      .map((key) => `gold.${table} ${key}: ${is[key] ?? "no row"} for ${should[key] ?? "no row"}`);
  });
}
