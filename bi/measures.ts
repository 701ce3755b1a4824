/** How a measure is shown: US dollars, a whole number, a number with decimals, or a share. */
export type MeasureFormat = "dollars" | "count" | "decimal" | "share";

/** One measure: the same number in Power BI (DAX) and in SQL on gold. */
export interface Measure {
  /** The words that people use; unique. */
  name: string;
  /** The folder in which Power BI lists it. */
  folder: "Sales" | "Over time" | "Shares and ranks" | "Trust";
  /** One sentence for people who read the number. */
  sentence: string;
  format: MeasureFormat;
  dax: string;
  /**
   * The same as an aggregate of a table of gold: it holds for all of gold, and for any group of rows of that table.
   * Measures that look beyond their rows, such as a rank, are a whole query instead, by month (`YYYY-MM`) or pizza.
   */
  sql: { from: string; aggregate: string } | { query: string };
}

const items = (aggregate: string) => ({ from: "gold.sales_items", aggregate });
const hours = (aggregate: string) => ({ from: "gold.sales_hours", aggregate });

/** Every measure of gold, defined once. `npm run generate` makes Power BI's measures and the glossary from it. */
export const measures = [
  {
    name: "Revenue",
    folder: "Sales",
    sentence: "What guests paid for pizzas, in US dollars; cancelled and refunded orders are no sales",
    format: "dollars",
    dax: "SUM('Sales items'[revenue])",
    sql: items("sum(revenue)"),
  },
  {
    name: "Cost",
    folder: "Sales",
    sentence: "What the ingredients of the pizzas sold cost, in US dollars",
    format: "dollars",
    dax: "SUM('Sales items'[cost])",
    sql: items("sum(cost)"),
  },
  {
    name: "Margin",
    folder: "Sales",
    sentence: "Revenue less cost",
    format: "dollars",
    dax: "[Revenue] - [Cost]",
    sql: items("sum(revenue) - sum(cost)"),
  },
  {
    name: "Margin %",
    folder: "Sales",
    sentence: "Margin as a share of revenue",
    format: "share",
    dax: "DIVIDE([Margin], [Revenue])",
    sql: items("(sum(revenue) - sum(cost)) / nullif(sum(revenue), 0)"),
  },
  {
    name: "Pizzas",
    folder: "Sales",
    sentence: "Number of pizzas sold",
    format: "count",
    dax: "SUM('Sales items'[pizzas])",
    sql: items("sum(pizzas)"),
  },
  {
    name: "Order lines",
    folder: "Sales",
    sentence: "Number of lines of the orders sold",
    format: "count",
    dax: "SUM('Sales items'[order_lines])",
    sql: items("sum(order_lines)"),
  },
  {
    name: "Orders",
    folder: "Sales",
    sentence:
      "Number of orders sold. An order has several pizzas, so this number has no value by pizza, size or category",
    format: "count",
    dax: "IF(ISCROSSFILTERED('Pizza'), BLANK(), SUM('Sales hours'[orders]))",
    sql: hours("sum(orders)"),
  },
  {
    name: "Average order",
    folder: "Sales",
    sentence: "Revenue by order, in US dollars",
    format: "dollars",
    dax: "IF(ISCROSSFILTERED('Pizza'), BLANK(), DIVIDE(SUM('Sales hours'[revenue]), [Orders]))",
    sql: hours("sum(revenue) / nullif(sum(orders), 0)"),
  },
  {
    name: "Pizzas per order",
    folder: "Sales",
    sentence: "Pizzas by order",
    format: "decimal",
    dax: "IF(ISCROSSFILTERED('Pizza'), BLANK(), DIVIDE(SUM('Sales hours'[pizzas]), [Orders]))",
    sql: hours("sum(pizzas)::numeric / nullif(sum(orders), 0)"),
  },
  {
    name: "Revenue by hour",
    folder: "Sales",
    sentence: "Revenue from the fact that knows the hour of the order; equal to Revenue where no pizza is chosen",
    format: "dollars",
    dax: "IF(ISCROSSFILTERED('Pizza'), BLANK(), SUM('Sales hours'[revenue]))",
    sql: hours("sum(revenue)"),
  },
  {
    name: "Revenue of the month before",
    folder: "Over time",
    sentence: "Revenue of the month before the one that is shown",
    format: "dollars",
    dax: "CALCULATE([Revenue], DATEADD('Date'[Date], -1, MONTH))",
    sql: {
      query: `select to_char(month, 'YYYY-MM') as key, lag(sum(revenue)) over (order by month) as value
        from gold.sales_items join gold.dates on date = order_date group by month`,
    },
  },
  {
    name: "Revenue growth %",
    folder: "Over time",
    sentence: "Growth of revenue on the month before",
    format: "share",
    dax: "DIVIDE([Revenue] - [Revenue of the month before], [Revenue of the month before])",
    sql: {
      query: `select to_char(month, 'YYYY-MM') as key,
          sum(revenue) / lag(sum(revenue)) over (order by month) - 1 as value
        from gold.sales_items join gold.dates on date = order_date group by month`,
    },
  },
  {
    name: "Revenue of the year to date",
    folder: "Over time",
    sentence: "Revenue from the first day of the year to the last day that is shown",
    format: "dollars",
    dax: "TOTALYTD([Revenue], 'Date'[Date])",
    sql: {
      query: `select to_char(month, 'YYYY-MM') as key,
          sum(sum(revenue)) over (partition by extract(year from month) order by month) as value
        from gold.sales_items join gold.dates on date = order_date group by month`,
    },
  },
  {
    name: "Open days",
    folder: "Over time",
    sentence: "Days on which any store has a sale",
    format: "count",
    dax: "CALCULATE(COUNTROWS('Date'), 'Date'[Has sales] = TRUE())",
    sql: { from: "gold.dates", aggregate: "count(*) filter (where has_sales)" },
  },
  {
    name: "Orders per open day",
    folder: "Over time",
    sentence: "Orders by day that has a sale of what is shown",
    format: "decimal",
    dax: "DIVIDE([Orders], DISTINCTCOUNT('Sales hours'[order_date]))",
    sql: hours("sum(orders)::numeric / nullif(count(distinct order_date), 0)"),
  },
  {
    name: "Share of revenue",
    folder: "Shares and ranks",
    sentence: "Revenue of what is shown as a share of the revenue of all pizzas",
    format: "share",
    dax: "DIVIDE([Revenue], CALCULATE([Revenue], ALL('Pizza')))",
    sql: {
      query: `select name as key, sum(revenue) / sum(sum(revenue)) over () as value
        from gold.sales_items join gold.menu using (pizza_id) group by name`,
    },
  },
  {
    name: "Rank of the pizza",
    folder: "Shares and ranks",
    sentence: "Place of the pizza by revenue among all of the menu, 1 for the best",
    format: "count",
    dax: "IF(HASONEVALUE('Pizza'[Pizza]), RANKX(ALL('Pizza'[Pizza]), [Revenue]))",
    sql: {
      query: `select name as key, rank() over (order by sum(revenue) desc) as value
        from gold.sales_items join gold.menu using (pizza_id) group by name`,
    },
  },
  {
    name: "Customers",
    folder: "Sales",
    sentence: "Customers who gave their name and have an order that is a sale",
    format: "count",
    dax: "COUNTROWS('Customer segments')",
    sql: { from: "gold.customer_segments", aggregate: "count(*)" },
  },
  {
    name: "Spent by customers",
    folder: "Sales",
    sentence: "What these customers paid in all, in US dollars",
    format: "dollars",
    dax: "SUM('Customer segments'[monetary])",
    sql: { from: "gold.customer_segments", aggregate: "sum(monetary)" },
  },
  {
    name: "Orders by customer",
    folder: "Sales",
    sentence: "Orders of a customer on the average",
    format: "decimal",
    dax: "AVERAGE('Customer segments'[frequency])",
    sql: { from: "gold.customer_segments", aggregate: "avg(frequency)" },
  },
  {
    name: "Receipts",
    folder: "Trust",
    sentence: "Receipts that the pipeline worked out",
    format: "count",
    dax: "COUNTROWS('Receipts')",
    sql: { from: "bi.receipts", aggregate: "count(*)" },
  },
  {
    name: "Receipts that balance",
    folder: "Trust",
    sentence: "Receipts in which every order was counted once, to the cent",
    format: "count",
    dax: "CALCULATE(COUNTROWS('Receipts'), 'Receipts'[Balanced] = TRUE())",
    sql: { from: "bi.receipts", aggregate: "count(*) filter (where balanced)" },
  },
  {
    name: "Corrections",
    folder: "Trust",
    sentence: "Values that changed after their day or month had been reported",
    format: "count",
    dax: "COUNTROWS('Corrections')",
    sql: { from: "bi.corrections", aggregate: "count(*)" },
  },
  {
    name: "Red rules",
    folder: "Trust",
    sentence: "Checks of quality rules that found more offenders than the rule allows",
    format: "count",
    dax: "CALCULATE(COUNTROWS('Quality'), 'Quality'[Is red] = TRUE())",
    sql: { from: "bi.data_quality_results", aggregate: "count(*) filter (where is_red)" },
  },
  {
    name: "Seconds to gold",
    folder: "Trust",
    sentence: "Seconds from the till to gold: the mean, over the publishes, of the median order",
    format: "decimal",
    dax: "AVERAGE('Freshness'[median_seconds])",
    sql: { from: "bi.freshness", aggregate: "avg(median_seconds)" },
  },
] as const satisfies readonly Measure[];

export type MeasureName = (typeof measures)[number]["name"];

/** The SQL of a measure for the rows of its table that a condition chooses. */
export function measureSql(name: MeasureName, where = ""): string {
  const { sql }: Measure = measures.find((measure) => measure.name === name)!;
  if ("query" in sql) return sql.query;
  return `select ${sql.aggregate} as value from ${sql.from}${where === "" ? "" : ` where ${where}`}`;
}
