import { expect, it } from "vitest";
import { explain } from "../../../bin/commands/explain.ts";
import type { Values } from "../../../bin/options.ts";

const values = { dir: "/nowhere/at/all", target: "local", env: "dev" } as Values;

it.each([
  [[], "no table given: choose one of daily_sales_summary, hourly_trends"],
  [["weekly_sales", "2015-01-01"], "table weekly_sales is unknown: choose one of"],
  [["hourly_trends", "2015-01-01"], "the key of hourly_trends is order_date hour"],
  [["hourly_trends", "2015-01-01", "noon"], "hour noon: give a whole number"],
  [["daily_sales_summary", "2015-02-30"], "order_date 2015-02-30: give a date such as 2015-01-31"],
  [["monthly_sales_summary", "january"], "month january: give a date such as 2015-01"],
  [["daily_sales_summary", "2015-01-01", "profit"], "daily_sales_summary has no column profit"],
  [["daily_sales_summary", "2015-01-01", "revenue", "x"], "the key of daily_sales_summary is order_date"],
])("%j is a usage error", async (words, sentence) => {
  await expect(explain.run(values, words)).rejects.toThrow(sentence);
});

it.each([
  [["gold.monthly_sales_summary", "2015-01", "revenue"]],
  [["daily_sales_summary", "1999-12-31"]],
  [["geographic_sales", "2015-01-01", "NY", "New York"]],
])("%j is accepted", async (words) => {
  await expect(explain.run(values, words)).rejects.toThrow("no local pipeline in /nowhere/at/all");
});
