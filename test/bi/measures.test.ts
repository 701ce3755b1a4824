import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { measures, measureSql, type MeasureName } from "../../bi/measures.ts";
import { openClassicYear } from "../pipeline/gold/classic-orders.ts";
import type { GoldPipeline } from "../pipeline/gold/gold-fixture.ts";

let gold: GoldPipeline;
beforeAll(async () => {
  gold = (await openClassicYear()).pipeline;
});
afterAll(() => gold.close());

async function value(name: MeasureName, where = ""): Promise<string | undefined> {
  const [row] = await gold.reader.query<{ value: string | number | null }>(measureSql(name, where));
  return row?.value === null || row === undefined ? undefined : String(row.value);
}

/** The rows of a measure that is a query, by key. */
async function byKey(name: MeasureName): Promise<Map<string, number>> {
  const rows = await gold.reader.query<{ key: string; value: string | null }>(measureSql(name));
  return new Map(rows.map((row) => [row.key, Number(row.value)]));
}

describe("the measures in SQL", () => {
  it.each<[MeasureName, string]>([
    ["Revenue", "817860.05"],
    ["Orders", "21350"],
    ["Order lines", "48620"],
    ["Pizzas", "49574"],
    ["Revenue by hour", "817860.05"],
    ["Open days", "358"],
  ])("%s of the classic year is %s", async (name, expected) => {
    expect(await value(name)).toBe(expected);
  });

  it.each<[MeasureName, string, number]>([
    ["Margin %", "select 1 - sum(cost) / sum(revenue) as value from gold.daily_sales_summary", 6],
    ["Average order", "select sum(revenue) / sum(orders) as value from gold.daily_sales_summary", 6],
    ["Pizzas per order", "select sum(pizzas)::numeric / sum(orders) as value from gold.daily_sales_summary", 6],
    ["Margin", "select sum(margin) as value from gold.daily_sales_summary", 2],
    ["Cost", "select sum(cost) as value from gold.monthly_sales_summary", 2],
  ])("%s is what the reported tables say", async (name, sql, digits) => {
    const [reported] = await gold.reader.query<{ value: string }>(sql);
    expect(Number(await value(name))).toBeCloseTo(Number(reported!.value), digits);
  });

  it.each([
    ["gold.sales_items", "store_id"],
    ["gold.sales_items", "channel"],
    ["gold.sales_items", "pizza_id"],
    ["gold.sales_hours", "hour"],
    ["gold.sales_hours", "store_id"],
  ])("revenue in %s adds up by %s", async (table, column) => {
    const keys = await gold.reader.query<{ key: string }>(`select distinct ${column}::text as key from ${table}`);
    const name: MeasureName = table === "gold.sales_items" ? "Revenue" : "Revenue by hour";
    let cents = 0;
    for (const { key } of keys) cents += Math.round(Number(await value(name, `${column}::text = '${key}'`)) * 100);
    expect(cents).toBe(81_786_005);
  });

  it("growth, the month before and the year to date agree with the monthly table", async () => {
    const months = await gold.reader.query<{ key: string; revenue: string; growth: string | null }>(
      `select to_char(month, 'YYYY-MM') as key, revenue, revenue_growth_pct as growth
       from gold.monthly_sales_summary order by month`,
    );
    const [before, growth, toDate] = [
      await byKey("Revenue of the month before"),
      await byKey("Revenue growth %"),
      await byKey("Revenue of the year to date"),
    ];
    let sum = 0;
    for (const [index, { key, revenue, growth: reported }] of months.entries()) {
      sum += Number(revenue);
      expect(toDate.get(key)).toBeCloseTo(sum, 2);
      if (index === 0) continue;
      expect(before.get(key)).toBe(Number(months[index - 1]!.revenue));
      expect(growth.get(key)! * 100).toBeCloseTo(Number(reported), 1);
    }
    expect(months).toHaveLength(12);
  });

  it("shares add up to one, and the best pizza is first", async () => {
    const shares = await byKey("Share of revenue");
    expect([...shares.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
    expect((await byKey("Rank of the pizza")).get("The Thai Chicken Pizza")).toBe(1);
  });

  it("every measure runs as the reader, and no two have one name or one sentence", async () => {
    for (const { name } of measures) await gold.reader.query(measureSql(name));
    for (const key of ["name", "sentence"] as const) {
      expect(new Set(measures.map((measure) => measure[key].toLowerCase())).size).toBe(measures.length);
    }
  });
});
