/** What the numbers of gold are made of: sums over order lines that are sales. */

/** Days whose lines a term adds up, seen from a row of gold; "row": the day or month of its key, or all days. */
export type Scope = "row" | "month so far" | "seven days" | "month before" | "month" | "all days";

/** A sum over the lines that belong to the row itself: each line's share can be listed. */
export interface LineTerm {
  kind: "lines";
  name: string;
  /** SQL of one line of silver. */
  expression: string;
  aggregate: "sum" | "min" | "max";
  unit: Unit;
  scope: Scope;
}

/** A value that other rows' lines go into as well, so that listing them would say nothing of this one. */
export interface OtherTerm {
  kind: "others";
  name: string;
  /** Lake SQL that gives what is added up, from `sales`; `?` is the last part of the row's key. */
  from: string;
  /** SQL of the value over that, and of how many order lines it is made of. */
  value: string;
  orderLines: string;
  unit: Unit;
  scope: Scope;
}

export type Term = LineTerm | OtherTerm;

/** Cents are shown as dollars; a moment as ISO 8601. */
export type Unit = "cents" | "count" | "text" | "moment";

function sum(name: string, expression: string, unit: Unit = "count"): LineTerm {
  return { kind: "lines", name, expression, aggregate: "sum", unit, scope: "row" };
}

/** One for the first line with another value of a column, none for the others: the sum counts distinct values. */
function distinct(name: string, column: string): LineTerm {
  const place = `row_number() over (partition by ${column} order by order_id, line_no)`;
  return sum(name, `case when ${column} is not null and ${place} = 1 then 1 else 0 end`);
}

export const orderLines = sum("order_lines", "1");
export const pizzas = sum("pizzas", "quantity");
export const revenue = sum("revenue", "revenue_cents", "cents");
export const cost = sum("cost", "cost_cents", "cents");
export const margin = sum("margin", "margin_cents", "cents");
export const customers = distinct("customers", "customer_key");
export const days = distinct("days", "order_date");

/** Orders, counted by one line of each that has this pizza, type, category or size. */
export function ordersBy(level: "order" | "pizza" | "type" | "category" | "size"): LineTerm {
  return sum("orders", `case when is_first_of_${level} then 1 else 0 end`);
}

/** The same on other days, under a name that says so: a row has a sum of its own days beside it. */
export function over(scope: "month so far" | "seven days", term: LineTerm): LineTerm {
  return { ...term, scope, name: `${term.name} of the ${scope}` };
}

/** The greatest or least value of a column. */
export function extreme(name: string, expression: string, aggregate: "min" | "max", unit: Unit = "text"): LineTerm {
  return { kind: "lines", name, expression, aggregate, unit, scope: "row" };
}

/** Revenue of everything sold on those days. */
export function wholeRevenue(name: string, scope: Scope): OtherTerm {
  const value = "cast(sum(revenue_cents) as bigint)";
  return { kind: "others", name, from: "sales", value, orderLines: "count(*)", unit: "cents", scope };
}

/** How many of the others have more, or less, of something than the row's own. */
function others(name: string, from: string, condition: string, scope: Scope): OtherTerm {
  const value = `cast(sum(case when ${condition} then 1 else 0 end) as bigint)`;
  const lines = `cast(sum(case when ${condition} then order_lines else 0 end) as bigint)`;
  return { kind: "others", name, from, value, orderLines: lines, unit: "count", scope };
}

/** How many pizzas or types of the month brought in more than this one. */
export function rowsAhead(id: "pizza_id" | "pizza_type_id"): OtherTerm {
  const totals = `select ${id}, sum(revenue_cents) as cents, count(*) as order_lines from sales group by ${id}`;
  const own = `select sum(revenue_cents) as own_cents from sales where ${id} = ?`;
  const name = id === "pizza_id" ? "pizzas with more revenue" : "types with more revenue";
  return others(name, `(${totals}) as totals cross join (${own}) as own`, "cents > own_cents", "month");
}

/** Every customer's purchases, one row each, beside those of the row's own. */
const purchases = `(
    select
      customer_key, max(order_date) as last_day, sum(revenue_cents) as cents, count(*) as order_lines,
      sum(case when is_first_of_order then 1 else 0 end) as orders
    from sales where customer_key is not null group by customer_key
  ) as purchases cross join (
    select
      max(order_date) as own_last_day, sum(revenue_cents) as own_cents,
      sum(case when is_first_of_order then 1 else 0 end) as own_orders
    from sales where customer_key = ?
  ) as own`;

/** How many customers have less of something than this one. */
export function customersBelow(name: string, measure: "last_day" | "orders" | "cents"): OtherTerm {
  return others(name, purchases, `${measure} < own_${measure}`, "all days");
}

export const allCustomers = others("all customers", purchases, "customer_key is not null", "all days");

export const lastDayOfAll: OtherTerm = {
  ...allCustomers,
  name: "last day sold",
  value: "cast(max(last_day) as varchar)",
  unit: "text",
};
