import { readProjectFile } from "../lambdas/adapters/project-files.ts";

/** Texts of the lake SQL that makes gold's facts. */
export const goldSql = {
  dayTotals: readProjectFile("sql/gold/day-totals.sql"),
  dayHours: readProjectFile("sql/gold/day-hours.sql"),
  dayItems: readProjectFile("sql/gold/day-items.sql"),
  dayStores: readProjectFile("sql/gold/day-stores.sql"),
  customerDays: readProjectFile("sql/gold/customer-days.sql"),
};
