import { readProjectFile } from "../lambdas/adapters/project-files.ts";

/** Texts of the lake SQL that makes gold's facts. */
export const goldSql = {
  dayFacts: readProjectFile("sql/gold/day-facts.sql"),
  dayCustomers: readProjectFile("sql/gold/day-customers.sql"),
  customerDays: readProjectFile("sql/gold/customer-days.sql"),
};
