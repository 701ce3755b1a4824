import { readdirSync, readFileSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, test } from "vitest";
import { partitionColumn, silverColumns } from "../../../pipeline/silver/columns.ts";

const folder = "sql/athena/";
const queries = readdirSync(folder).map((file) => ({
  name: file.replace(/\.sql$/, ""),
  sql: readFileSync(folder + file, "utf8"),
}));

const types: Record<string, string> = { string: "varchar", int: "integer", long: "bigint" };

/** Two orders of two days, the first with two lines, and a cancelled one. */
const lines = [
  {
    order_id: "1",
    order_date: "2015-01-31",
    status: "placed",
    revenue_cents: 1_050,
    margin_cents: 700,
    quantity: 1,
    first: true,
    customer_key: "a",
  },
  {
    order_id: "1",
    order_date: "2015-01-31",
    status: "placed",
    revenue_cents: 2_000,
    margin_cents: 1_300,
    quantity: 2,
    first: false,
    customer_key: "a",
  },
  {
    order_id: "2",
    order_date: "2015-02-01",
    status: "amended",
    revenue_cents: 999,
    margin_cents: 500,
    quantity: 1,
    first: true,
    customer_key: null,
  },
  {
    order_id: "3",
    order_date: "2015-02-01",
    status: "cancelled",
    revenue_cents: 5_000,
    margin_cents: 2_500,
    quantity: 4,
    first: true,
    customer_key: "b",
  },
];

async function runOnLines(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const columns = [
      ...silverColumns.map(({ name, type }) => `"${name}" ${types[type] ?? type}`),
      `${partitionColumn} date`,
    ];
    await connection.run(`create table order_lines (${columns.join(", ")})`);
    for (const { first, ...line } of lines) {
      const row = { ...everyText, ...line, cost_cents: line.revenue_cents - line.margin_cents, ...marks(first) };
      const values = Object.values(row).map((value) => (typeof value === "string" ? `'${value}'` : String(value)));
      await connection.run(
        `insert into order_lines (${Object.keys(row)
          .map((name) => `"${name}"`)
          .join(", ")}) values (${values.join(", ")})`,
      );
    }
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const everyText = {
  ordered_at: "2015-01-31 12:00:00",
  order_hour: 12,
  store_id: "nyc-01",
  city: "New York",
  state: "NY",
  channel: "online",
  pizza_id: "hawaiian_m",
  pizza_type_id: "hawaiian",
  pizza_name: "The Hawaiian Pizza",
  category: "Classic",
  size: "M",
};
const marks = (first: boolean) =>
  Object.fromEntries(["order", "pizza", "type", "category", "size"].map((level) => [`is_first_of_${level}`, first]));

const totalsOf: Record<string, { money: string; count: string; expected: number[] }> = {
  // A guest without a name is in no segment.
  customer_segments: { money: "monetary", count: "frequency", expected: [30.5, 1] },
  sales_items: { money: "revenue", count: "pizzas", expected: [40.49, 4] },
};

/** Tables of gold that are not computed from order lines. */
const dimensions = ["dates", "ingredients", "menu", "menu_prices", "recipes", "stores"];

describe("the saved Athena queries", () => {
  test("include one for each gold table that is computed from order lines", () => {
    const created = readdirSync("sql/migrations").flatMap((file) =>
      [...readFileSync(`sql/migrations/${file}`, "utf8").matchAll(/^create table gold\.(\w+)/gm)].map(
        ([, table]) => table!,
      ),
    );
    expect(queries.map(({ name }) => name)).toEqual(created.filter((table) => !dimensions.includes(table)).toSorted());
  });

  test.each(queries)("of $name counts only sales, and starts with its grain", async ({ name, sql }) => {
    expect(sql).toMatch(new RegExp(`^-- grain: one row per .+; .*gold\\.${name} from the lake\n`));
    const { money, count, expected } = totalsOf[name] ?? { money: "revenue", count: "orders", expected: [40.49, 2] };
    const rows = await runOnLines(sql);
    const total = (column: string) => rows.reduce((sum, row) => sum + Number(row[column]), 0);
    expect([Number(total(money).toFixed(2)), total(count)]).toEqual(expected);
  });
});
