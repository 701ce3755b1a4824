// Terms are what gold's numbers are computed from: aggregates over order lines that are sales.

/** The days of a term, relative to a gold row; "row" is the day or month of its key, or all days. */
export type Scope = "row" | "month so far" | "seven days" | "month before" | "month" | "all days";

/** An aggregate over the row's own lines; each line's share can be listed. */
export interface LineTerm {
  kind: "lines";
  name: string;
  /** SQL expression over one silver line. */
  expression: string;
  aggregate: "sum" | "min" | "max";
  unit: Unit;
  scope: Scope;
}

/** A value that also depends on other rows' lines, so that listing them would not explain this row. */
export interface OtherTerm {
  kind: "others";
  name: string;
  /** Lake SQL of the rows to aggregate, from `sales`; `?` is the last part of the row's key. */
  from: string;
  /** SQL of the value over these rows, and of the number of order lines behind it. */
  value: string;
  orderLines: string;
  unit: Unit;
  scope: Scope;
}

/** Either kind of term. */
export type Term = LineTerm | OtherTerm;

/** Cents are shown as dollars, a moment as ISO 8601. */
export type Unit = "cents" | "count" | "text" | "moment";

function sum(name: string, expression: string, unit: Unit = "count"): LineTerm {
  return { kind: "lines", name, expression, aggregate: "sum", unit, scope: "row" };
}

/** 1 for the first line with each value of a column, 0 for the others, so that the sum counts distinct values. */
function distinct(name: string, column: string): LineTerm {
  const number = `row_number() over (partition by ${column} order by order_date, store_id, order_id, line_no)`;
  return sum(name, `case when ${column} is not null and ${number} = 1 then 1 else 0 end`);
}

export const orderLines = sum("order_lines", "1");
export const pizzas = sum("pizzas", "quantity");
export const revenue = sum("revenue", "revenue_cents", "cents");
export const cost = sum("cost", "cost_cents", "cents");
export const margin = sum("margin", "margin_cents", "cents");
export const customers = distinct("customers", "customer_key");
export const days = distinct("days", "order_date");

/** The number of orders, counted by the first line of each with this pizza, type, category or size. */
export function ordersBy(level: "order" | "pizza" | "type" | "category" | "size"): LineTerm {
  return sum("orders", `case when is_first_of_${level} then 1 else 0 end`);
}

/** The same term over other days, under a name that differs from the term over the row's own days. */
export function over(scope: "month so far" | "seven days", term: LineTerm): LineTerm {
  return { ...term, scope, name: `${term.name} of the ${scope}` };
}

/** The minimum or maximum of a column. */
export function extreme(name: string, expression: string, aggregate: "min" | "max", unit: Unit = "text"): LineTerm {
  return { kind: "lines", name, expression, aggregate, unit, scope: "row" };
}

/** The revenue of everything sold on the days of a scope. */
export function wholeRevenue(name: string, scope: Scope): OtherTerm {
  const value = "cast(sum(revenue_cents) as bigint)";
  return { kind: "others", name, from: "sales", value, orderLines: "count(*)", unit: "cents", scope };
}

/** The number of rows of `from` that satisfy a condition. */
function others(name: string, from: string, condition: string, scope: Scope): OtherTerm {
  const value = `cast(sum(case when ${condition} then 1 else 0 end) as bigint)`;
  const lines = `cast(sum(case when ${condition} then order_lines else 0 end) as bigint)`;
  return { kind: "others", name, from, value, orderLines: lines, unit: "count", scope };
}

/** The number of pizzas or types with more revenue in the month than this one. */
export function rowsAhead(id: "pizza_id" | "pizza_type_id"): OtherTerm {
  const totals = `select ${id}, sum(revenue_cents) as cents, count(*) as order_lines from sales group by ${id}`;
  const own = `select sum(revenue_cents) as own_cents from sales where ${id} = ?`;
  const name = id === "pizza_id" ? "pizzas with more revenue" : "types with more revenue";
  return others(name, `(${totals}) as totals cross join (${own}) as own`, "cents > own_cents", "month");
}

/** Every customer's purchases, one row each, joined with those of the row's own customer. */
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

/** The number of customers with a lower measure than this one. */
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
