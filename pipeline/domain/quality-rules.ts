/**
 * What the data is judged by: rules as data. Their SQL lies in `sql/checks/`, one file each, and gives the offenders.
 */

export type RuleKind =
  | "completeness"
  | "uniqueness"
  | "validity"
  | "consistency"
  | "freshness"
  | "volume"
  | "price"
  | "producers";

/** Which days of silver a rule reads: all, those around the judged week, or those that gold has yet to publish. */
export type RuleDays = "all" | "recent" | "unpublished";

/**
 * What the SQL's parameters are, in their order: the rule's limit; the first judged day and the day after the last,
 * which are the seven days before the watermark; the moment of the check; that moment less the limit in seconds.
 */
export type RuleParameter = "limit" | "judged from" | "judged until" | "now" | "now less limit";

export type RuleSource =
  | { on: "lake"; sql: string; days: RuleDays; parameters: readonly RuleParameter[] }
  | { on: "warehouse"; sql: string; parameters: readonly RuleParameter[] }
  /** The receipt's findings about one invariant. */
  | { on: "receipt"; invariant: string };

export interface QualityRule {
  name: string;
  kind: RuleKind;
  /** Of an error people are told; a warning only shows. */
  severity: "error" | "warning";
  /** How many offenders are borne before the rule is red. */
  threshold: number;
  /** What an offender is measured against, where that is a number; the sentence says its unit. */
  limit?: number;
  /** What an offender is. */
  sentence: string;
  /** What to do about it. */
  next: string;
  source: RuleSource;
}

const wholeLake = (sql: string): RuleSource => ({ on: "lake", sql, days: "all", parameters: [] });
const judgedWeek = (sql: string): RuleSource => ({
  on: "lake",
  sql,
  days: "recent",
  parameters: ["limit", "judged from", "judged until"],
});

const damagedSilver =
  "silver was changed by something else than the pipeline: ./pizza verify names the orders and what their events make";

export const qualityRules: readonly QualityRule[] = [
  {
    name: "required_values",
    kind: "completeness",
    severity: "error",
    threshold: 0,
    sentence: "order lines lack a value that every line has",
    next: damagedSilver,
    source: wholeLake("quality/required-values"),
  },
  {
    name: "customers_known",
    kind: "completeness",
    severity: "warning",
    threshold: 0,
    limit: 10,
    sentence: "days of the last week have 50 orders or more of which less than 10 percent name a customer",
    next: "see whether a till's update stopped sending customers; their orders are in all numbers but those by customer",
    source: judgedWeek("quality/customers-known"),
  },
  {
    name: "lines_once",
    kind: "uniqueness",
    severity: "error",
    threshold: 0,
    sentence: "order lines stand in silver twice, or orders in two days",
    next: damagedSilver,
    source: wholeLake("silver-repeats"),
  },
  {
    name: "valid_values",
    kind: "validity",
    severity: "error",
    threshold: 0,
    sentence: "order lines have a value that no order can have",
    next: damagedSilver,
    source: wholeLake("quality/valid-values"),
  },
  {
    name: "valid_times",
    kind: "validity",
    severity: "error",
    threshold: 0,
    sentence: "orders were given after they arrived, or lie in another day than they were given on",
    next: damagedSilver,
    source: wholeLake("quality/valid-times"),
  },
  {
    name: "line_amounts",
    kind: "consistency",
    severity: "error",
    threshold: 0,
    sentence: "order lines have amounts that are not quantity times price and cost",
    next: damagedSilver,
    source: wholeLake("quality/line-amounts"),
  },
  {
    name: "order_lines_agree",
    kind: "consistency",
    severity: "error",
    threshold: 0,
    sentence: "orders have lines that differ in what is the order's, or are not counted once",
    next: damagedSilver,
    source: wholeLake("quality/order-lines-agree"),
  },
  {
    name: "gold_is_silver",
    kind: "consistency",
    severity: "error",
    threshold: 0,
    sentence: "days or facts in gold differ from silver",
    next: "./pizza verify names the rows; a day that is published again is mended",
    source: { on: "receipt", invariant: "gold = silver" },
  },
  {
    name: "gold_adds_up",
    kind: "consistency",
    severity: "error",
    threshold: 0,
    sentence: "rows of gold are not the sums of their days",
    next: "./pizza verify names the cells; a day that is published again is mended",
    source: { on: "receipt", invariant: "gold adds up" },
  },
  {
    name: "gold_follows_silver",
    kind: "freshness",
    severity: "error",
    threshold: 0,
    limit: 3600,
    sentence: "days that silver changed more than 3600 seconds ago are not in gold yet",
    next: "see why silver_to_gold does not run or fails (./pizza status); ./pizza run silver_to_gold publishes what waits",
    source: {
      on: "lake",
      sql: "quality/gold-follows-silver",
      days: "unpublished",
      parameters: ["now less limit"],
    },
  },
  {
    name: "orders_in_time",
    kind: "freshness",
    severity: "warning",
    threshold: 0,
    limit: 1800,
    sentence: "publishes of the last day showed orders later than 1800 seconds after they were sent",
    next: "see which workflow was late (./pizza status), or whether the tills or this pipeline were off",
    source: { on: "warehouse", sql: "quality/orders-in-time", parameters: ["limit", "now"] },
  },
  {
    name: "weekday_volume",
    kind: "volume",
    severity: "warning",
    threshold: 0,
    limit: 3,
    sentence: "days of the last week have less than a third, or more than 3 times, the orders of that weekday",
    next: "a holiday or a campaign explains it, or a store whose tills are silent or send twice under new order ids",
    source: judgedWeek("quality/weekday-volume"),
  },
  {
    name: "menu_prices",
    kind: "price",
    severity: "error",
    threshold: 0,
    sentence: "order lines have another price, cost or kind than the menu of their day",
    next: "a new price is a new range in data/menu.json, with valid_from; a range that was edited has to be put back",
    source: wholeLake("quality/menu-prices"),
  },
  {
    name: "producer_gaps",
    kind: "producers",
    severity: "error",
    threshold: 0,
    sentence: "tills miss numbers: events that they sent never came",
    next: "./pizza verify names the numbers; the till still has these orders, or they are late: let it send them again",
    source: { on: "receipt", invariant: "no gap in a till's numbers" },
  },
];

/** What a rule found. */
export interface RuleResult extends Omit<QualityRule, "source"> {
  offenders: number;
  isRed: boolean;
  /** Up to ten offenders. */
  examples: string[];
}

/** The result of a rule that found so many offenders. */
export function judge(
  { name, kind, severity, threshold, limit, sentence, next }: QualityRule,
  { offenders, examples }: { offenders: number; examples: string[] },
): RuleResult {
  const rule = { name, kind, severity, threshold, ...(limit !== undefined && { limit }), sentence, next };
  return { ...rule, offenders, isRed: offenders > threshold, examples };
}
