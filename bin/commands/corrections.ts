import { explainedTables } from "../../pipeline/explain/gold-tables.ts";
import type { Corrections, LateOrder, RestatedValue } from "../../pipeline/gold/list-corrections.ts";
import { parseMoment, type Command, type Values } from "../options.ts";
import { money, print, printJson, textTable, UsageError } from "../output.ts";
import { lakeSqlOption, withReadOnlyPipeline } from "../with-target.ts";
import { dayMs, hourMs } from "../../pipeline/domain/dates.ts";

const summaries = new Set(["gold.daily_sales_summary", "gold.monthly_sales_summary"]);
const headlines = new Set(["orders", "revenue"]);
const mostRows = 40;

export const corrections: Command = {
  summary: "show values that changed after they were published, and the orders that changed them",
  examples: ["corrections --since 24h", "corrections --table daily_sales_summary"],
  usage: "corrections [--since DATE|24h|7d] [--table TABLE | --all] [--json]",
  options: {
    since: {
      type: "string",
      about: "changes since a date or time, or the last N hours or days: 24h, 7d (default: all)",
    },
    table: { type: "string", about: "values of this gold table (default: orders and revenue by day and month)" },
    all: { type: "boolean", about: "values of every gold table" },
    ...lakeSqlOption,
  },
  async run(values) {
    const [since, table] = [sinceOf(values), tableOf(values)];
    const found = await withReadOnlyPipeline(values, (pipeline) => pipeline.corrections({ since }));
    if (values.json) printJson(found);
    else print(correctionsText(found, { table, isAll: values["all"] === true }));
  },
};

/** Start of the period as an ISO 8601 timestamp, from a date, a time or a number of hours or days back. */
function sinceOf({ since }: Values): string {
  if (since === undefined) return new Date(0).toISOString();
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(String(since)) ?? [];
  const back = Number(count) * (unit === "h" ? hourMs : dayMs);
  const moment = count === undefined ? parseMoment(String(since)) : Date.now() - back;
  if (moment === undefined) {
    throw new UsageError(
      `--since ${since}: give a date (2026-01-31), a time (2026-01-31T18:00:00Z) or a period (24h, 7d)`,
    );
  }
  return new Date(moment).toISOString();
}

function tableOf({ table }: Values): string | undefined {
  if (table === undefined) return undefined;
  const name = String(table).replace(/^gold\./, "");
  if (Object.hasOwn(explainedTables, name)) return `gold.${name}`;
  throw new UsageError(`--table ${table}: choose one of ${Object.keys(explainedTables).join(", ")}`);
}

/** Restated values and the orders that changed them; by default only orders and revenue by day and month. */
export function correctionsText(
  { values, orders, daysWithoutOrders }: Corrections,
  { table: wanted, isAll }: { table: string | undefined; isAll: boolean },
): string {
  if (values.length === 0) return "no published value has changed";
  const chosen = values.filter(({ table_name, column_name }) => {
    if (wanted !== undefined) return table_name === wanted;
    return isAll || (summaries.has(table_name) && headlines.has(column_name));
  });
  return [
    ...someRows(chosen, valueRow),
    ...(chosen.length < values.length
      ? [`${values.length - chosen.length} more values in other columns and tables: use --all or --table TABLE`]
      : []),
    ...(orders.length > 0 ? ["", "orders that changed them:", ...someRows(orders, orderRow)] : []),
    ...(daysWithoutOrders.length > 0
      ? ["", `the orders that changed these days are no longer recorded: ${daysWithoutOrders.join(", ")}`]
      : []),
    ...editsText(values),
  ].join("\n");
}

function someRows<Item>(items: readonly Item[], rowOf: (item: Item) => Record<string, unknown>): string[] {
  const left = items.length - mostRows;
  return [textTable(items.slice(0, mostRows).map(rowOf)), ...(left > 0 ? [`${left} more: --json lists all`] : [])];
}

function valueRow({
  table_name,
  key,
  column_name,
  first_reported,
  now_known,
  change,
  corrections: times,
}: RestatedValue) {
  return {
    table: table_name.replace("gold.", ""),
    key: keyText(key),
    column: column_name,
    "first reported": first_reported,
    "now known": now_known,
    change,
    corrections: times,
  };
}

/** Day or month first, as in the keys of the tables. */
function keyText({ order_date, month, ...rest }: Record<string, unknown>): string {
  return [order_date, month, ...Object.values(rest)]
    .filter((part) => part !== undefined)
    .map(String)
    .join(" ");
}

function orderRow({ order_date, store_id, order_id, why, arrived_at, reported_cents, cents }: LateOrder) {
  return {
    day: order_date,
    store: store_id,
    order: order_id,
    why,
    "arrived at": arrived_at,
    "revenue reported": money(reported_cents),
    "revenue now": money(cents),
  };
}

/** Manual edits have no order behind them. */
function editsText(values: readonly RestatedValue[]): string[] {
  const edits = values.filter(({ last_cause }) => last_cause.startsWith("manual edit"));
  const causes = new Set(edits.map(({ last_cause }) => last_cause));
  return edits.length === 0 ? [] : ["", `${edits.length} values were last edited by hand: ${[...causes].join(", ")}`];
}
