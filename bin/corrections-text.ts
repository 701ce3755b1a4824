import type { Corrections, LateOrder, RestatedValue } from "../lambdas/gold/list-corrections.ts";
import { money, table } from "./output.ts";

const summaries = new Set(["gold.daily_sales_summary", "gold.monthly_sales_summary"]);
const headlines = new Set(["orders", "revenue"]);
const mostRows = 40;

/** Restated values and the orders behind them; orders and revenue of days and months, unless more is asked for. */
export function correctionsText(
  { values, orders, daysWithoutOrders }: Corrections,
  { table: wanted, isAll }: { table: string | undefined; isAll: boolean },
): string {
  if (values.length === 0) return "nothing that was reported has changed";
  const chosen = values.filter(({ table_name, column_name }) => {
    if (wanted !== undefined) return table_name === wanted;
    return isAll || (summaries.has(table_name) && headlines.has(column_name));
  });
  return [
    ...someRows(chosen, valueRow),
    ...(chosen.length < values.length
      ? [`${values.length - chosen.length} values of other columns and tables: --all, --table TABLE`]
      : []),
    ...(orders.length > 0 ? ["", "orders behind it:", ...someRows(orders, orderRow)] : []),
    ...(daysWithoutOrders.length > 0
      ? ["", `which orders changed these days is not kept: ${daysWithoutOrders.join(", ")}`]
      : []),
    ...editsText(values),
  ].join("\n");
}

function someRows<Item>(items: readonly Item[], rowOf: (item: Item) => Record<string, unknown>): string[] {
  const left = items.length - mostRows;
  return [table(items.slice(0, mostRows).map(rowOf)), ...(left > 0 ? [`and ${left} more: --json`] : [])];
}

function valueRow({ table_name, key, column_name, first_reported, now_known, change, corrections }: RestatedValue) {
  return {
    table: table_name.replace("gold.", ""),
    key: keyText(key),
    column: column_name,
    "first reported": first_reported,
    "now known": now_known,
    change,
    corrections,
  };
}

/** Day or month first, as in the tables' own keys. */
function keyText({ order_date, month, ...rest }: Record<string, unknown>): string {
  return [order_date, month, ...Object.values(rest)]
    .filter((part) => part !== undefined)
    .map(String)
    .join(" ");
}

function orderRow({ order_date, order_id, why, arrived_at, reported_cents, cents }: LateOrder) {
  return {
    day: order_date,
    order: order_id,
    why,
    "came at": arrived_at,
    "revenue reported": money(reported_cents),
    "revenue now": money(cents),
  };
}

/** Changes by hand have no order behind them. */
function editsText(values: readonly RestatedValue[]): string[] {
  const edits = values.filter(({ last_cause }) => last_cause.startsWith("manual edit"));
  const causes = new Set(edits.map(({ last_cause }) => last_cause));
  return edits.length === 0 ? [] : ["", `${edits.length} values were changed by hand last: ${[...causes].join(", ")}`];
}
