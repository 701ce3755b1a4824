import { growth, label, ofKey, percent, ratio, share, total, type Cell, amount, type TermValue } from "./cells.ts";
import * as term from "./terms.ts";
import { dayMs } from "../domain/dates.ts";

const lastDay = term.extreme("last day", "cast(order_date as varchar)", "max");
const below = {
  recency: term.customersBelow("customers whose last order is older", "last_day"),
  frequency: term.customersBelow("customers with fewer orders", "orders"),
  monetary: term.customersBelow("customers who spent less", "cents"),
};

/** Returns the quintile score, 1 to 5, from the share of the other customers that are below. */
function scoreOf(lower: TermValue | undefined, all: TermValue | undefined): number {
  const [lowerCount, others] = [Number(amount(lower)), Number(amount(all)) - 1];
  return others <= 0 ? 1 : Math.min(1 + Math.floor(5 * (lowerCount / others)), 5);
}

function score(measure: keyof typeof below, own: term.Term): Cell {
  const { name } = below[measure];
  return {
    terms: [below[measure], term.allCustomers, own],
    formula: `1 + 5 x ${name} / (all customers - 1), rounded down, at most 5`,
    value: ([lower, all]) => String(scoreOf(lower, all)),
  };
}

function segmentOf(r: number, rest: number): string {
  if (r >= 4 && rest >= 8) return "champions";
  if (r >= 3 && rest >= 6) return "loyal";
  if (r >= 4 && rest >= 4) return "potential_loyal";
  if (r >= 4) return "new";
  if (r === 3) return "needs_attention";
  if (rest >= 8) return "cannot_lose";
  if (rest >= 6) return "at_risk";
  return r === 2 ? "about_to_sleep" : "lost";
}

const firstOrder = term.extreme("first order", "ordered_at", "min", "moment");
const firstDay = term.extreme("first day", "cast(order_date as varchar)", "min");
const lastOrder = term.extreme("last order", "ordered_at", "max", "moment");

/** The columns of `gold.customer_segments`. */
const customerCells: Record<string, Cell> = {
  recency_days: {
    terms: [term.lastDayOfAll, lastDay],
    formula: "days from last day to last day sold",
    value: ([all, own]) => String((Date.parse(String(all)) - Date.parse(String(own))) / dayMs),
  },
  frequency: total(term.ordersBy("order")),
  monetary: total(term.revenue),
  recency_score: score("recency", lastDay),
  frequency_score: score("frequency", term.ordersBy("order")),
  monetary_score: score("monetary", term.revenue),
  segment: {
    terms: [below.recency, below.frequency, below.monetary, term.allCustomers],
    formula: "from the three scores, see docs/gold.md",
    value: ([recency, frequency, monetary, all]) =>
      segmentOf(scoreOf(recency, all), scoreOf(frequency, all) + scoreOf(monetary, all)),
  },
  first_ordered_at: label(firstOrder),
  last_ordered_at: label(lastOrder),
  first_order_date: label(firstDay),
  last_order_date: label(lastDay),
};

/** A column of a table's key, and the silver column that it filters by; a date selects days instead. */
export interface KeyColumn {
  name: string;
  type: "date" | "integer" | "text";
  silver?: string;
}

/** A gold table: its key, and how each of its columns is computed from order lines. */
export interface ExplainedTable {
  key: readonly KeyColumn[];
  cells: Readonly<Record<string, Cell>>;
  /** Columns that are published with the rows by customer, possibly later than the others. */
  customerColumns: readonly string[];
}

const orderDate: KeyColumn = { name: "order_date", type: "date" };
const hour: KeyColumn = { name: "hour", type: "integer", silver: "order_hour" };
const month: KeyColumn = { name: "month", type: "date" };
const text = (name: string, silver = name): KeyColumn => ({ name, type: "text", silver });

const { pizzas, revenue, cost, margin } = term;
const orders = term.ordersBy("order");
const weekday = ofKey("the weekday of order_date", ([day]) => String(new Date(day!).getUTCDay() || 7));
const money = { revenue: total(revenue), cost: total(cost), margin: total(margin) };
const basket = { avg_order_value: ratio(revenue, orders), pizzas_per_order: ratio(pizzas, orders) };
const sold = (level: Parameters<typeof term.ordersBy>[0]) => ({
  orders: total(term.ordersBy(level)),
  pizzas: total(pizzas),
  ...money,
});
const shareOfMonth = percent(revenue, term.wholeRevenue("revenue of the month", "month"));
const textOf = (name: string, column = name) => label(term.extreme(name, column, "max"));

function rank(id: "pizza_id" | "pizza_type_id"): Cell {
  const value: Cell["value"] = ([ahead]) => String(BigInt(ahead ?? 0) + 1n);
  const ahead = term.rowsAhead(id);
  return { terms: [ahead, revenue], formula: `1 + ${ahead.name}`, value };
}

/** Every gold table that is computed from order lines, by name. */
export const explainedTables: Readonly<Record<string, ExplainedTable>> = {
  daily_sales_summary: {
    key: [orderDate],
    cells: {
      weekday,
      ...sold("order"),
      order_lines: total(term.orderLines),
      margin_pct: percent(margin, revenue),
      customers: total(term.customers),
      ...basket,
    },
    customerColumns: [],
  },
  hourly_trends: {
    key: [orderDate, hour],
    cells: { weekday, orders: total(orders), pizzas: total(pizzas), revenue: total(revenue) },
    customerColumns: [],
  },
  monthly_sales_summary: {
    key: [month],
    cells: {
      days: total(term.days),
      ...sold("order"),
      order_lines: total(term.orderLines),
      margin_pct: percent(margin, revenue),
      customers: total(term.customers),
      ...basket,
      revenue_growth_pct: growth(revenue, term.wholeRevenue("revenue of the month before", "month before")),
    },
    customerColumns: ["customers"],
  },
  pizza_performance: {
    key: [month, text("pizza_id")],
    cells: {
      pizza_type_id: textOf("pizza_type_id"),
      name: textOf("name", "pizza_name"),
      category: textOf("category"),
      size: textOf("size"),
      ...sold("pizza"),
      margin_pct: percent(margin, revenue),
      revenue_share_pct: shareOfMonth,
      rank_in_month: rank("pizza_id"),
    },
    customerColumns: [],
  },
  pizza_type_performance: {
    key: [month, text("pizza_type_id")],
    cells: {
      name: textOf("name", "pizza_name"),
      category: textOf("category"),
      ...sold("type"),
      revenue_share_pct: shareOfMonth,
      rank_in_month: rank("pizza_type_id"),
    },
    customerColumns: [],
  },
  category_performance: {
    key: [month, text("category")],
    cells: { ...sold("category"), revenue_share_pct: shareOfMonth },
    customerColumns: [],
  },
  size_performance: {
    key: [month, text("size")],
    cells: { ...sold("size"), revenue_share_pct: shareOfMonth },
    customerColumns: [],
  },
  customer_segments: {
    key: [text("customer_key")],
    cells: customerCells,
    customerColumns: Object.keys(customerCells),
  },
  revenue_analytics: {
    key: [orderDate, text("store_id"), text("channel")],
    cells: {
      orders: total(orders),
      ...money,
      revenue_month_to_date: total(term.over("month so far", revenue)),
      revenue_7_days: total(term.over("seven days", revenue)),
      revenue_7_days_avg: share(term.over("seven days", revenue), 7n),
    },
    customerColumns: [],
  },
  sales_items: {
    key: [orderDate, text("store_id"), text("channel"), text("pizza_id")],
    cells: { order_lines: total(term.orderLines), pizzas: total(pizzas), revenue: total(revenue), cost: total(cost) },
    customerColumns: [],
  },
  sales_hours: {
    key: [orderDate, hour, text("store_id"), text("channel")],
    cells: {
      orders: total(orders),
      order_lines: total(term.orderLines),
      pizzas: total(pizzas),
      revenue: total(revenue),
      cost: total(cost),
    },
    customerColumns: [],
  },
  geographic_sales: {
    key: [month, text("state"), text("city")],
    cells: { orders: total(orders), customers: total(term.customers), ...money },
    customerColumns: ["customers"],
  },
};
