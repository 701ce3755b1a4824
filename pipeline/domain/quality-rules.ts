/** The aspect of quality that a rule checks. */
export type RuleKind =
  | "completeness"
  | "uniqueness"
  | "validity"
  | "consistency"
  | "freshness"
  | "volume"
  | "price"
  | "producers";

/**
 * Which days of silver a rule reads: all, those around the checked week, those of the five weeks before the check, or
 * those that gold has not published yet.
 */
export type RuleDays = "all" | "recent" | "last weeks" | "unpublished";

/**
 * The parameters of a rule's SQL: the rule's limit; the first checked day and the day after the last, which span the
 * seven days before the watermark; the time of the check; that time minus the limit in seconds.
 */
export type RuleParameter = "limit" | "judged from" | "judged until" | "now" | "now less limit";

/** Where a rule's offenders come from; `sql` is a file in `sql/checks/`, without its extension. */
export type RuleSource =
  | { on: "lake"; sql: string; days: RuleDays; parameters: readonly RuleParameter[] }
  | { on: "warehouse"; sql: string; parameters: readonly RuleParameter[] }
  /** The receipt's findings, or its notes, about one invariant. */
  | { on: "receipt"; invariant: string; isNote?: boolean };

/** A rule that the data must satisfy. */
export interface QualityRule {
  name: string;
  kind: RuleKind;
  /** An error sends an alert; a warning is only reported. */
  severity: "error" | "warning";
  /** How many offenders are tolerated before the rule is red. */
  threshold: number;
  /** The number that an offender is compared with, if any; the sentence states its unit. */
  limit?: number;
  /** Describes the offenders; follows their count. */
  sentence: string;
  /** What to do about them. */
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
  "silver was changed outside the pipeline: ./pizza verify names the orders and the cells that differ from their events";

/** All rules. Their SQL is in `sql/checks/`, one file each, and returns the offenders. */
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
    next: "check whether a till update stopped sending customers; these orders are missing only from numbers by customer",
    source: judgedWeek("quality/customers-known"),
  },
  {
    name: "lines_once",
    kind: "uniqueness",
    severity: "error",
    threshold: 0,
    sentence: "order lines exist twice in silver",
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
    sentence: "orders were placed after they arrived, or are stored under a different day than they were placed on",
    next: damagedSilver,
    source: wholeLake("quality/valid-times"),
  },
  {
    name: "till_offsets",
    kind: "validity",
    severity: "warning",
    threshold: 0,
    sentence: "tills write a UTC offset that their store's time zone does not have",
    next: "the orders are in the right day, by the store's own clock; set the till's time zone",
    source: { on: "lake", sql: "quality/till-offsets", days: "recent", parameters: ["judged from", "judged until"] },
  },
  {
    name: "till_clocks",
    kind: "validity",
    severity: "warning",
    threshold: 0,
    limit: 604_800,
    sentence: "tills sent events in the last 604800 seconds whose times cannot be right",
    next: "set the till's clock; a till that sends history says so with a producer_id that begins with replay: or import:",
    source: { on: "lake", sql: "quality/till-clocks", days: "all", parameters: ["now less limit"] },
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
    sentence: "orders have lines with different order-level values, or are not counted exactly once",
    next: damagedSilver,
    source: wholeLake("quality/order-lines-agree"),
  },
  {
    name: "gold_is_silver",
    kind: "consistency",
    severity: "error",
    threshold: 0,
    sentence: "days or facts in gold differ from silver",
    next: "./pizza verify names the rows; publishing the day again repairs them",
    source: { on: "receipt", invariant: "gold = silver" },
  },
  {
    name: "gold_adds_up",
    kind: "consistency",
    severity: "error",
    threshold: 0,
    sentence: "rows of gold differ from the sums of their days",
    next: "./pizza verify names the cells; publishing the day again repairs them",
    source: { on: "receipt", invariant: "gold adds up" },
  },
  {
    name: "gold_follows_silver",
    kind: "freshness",
    severity: "error",
    threshold: 0,
    limit: 3600,
    sentence: "days that silver changed more than 3600 seconds ago are not in gold yet",
    next: "check why silver_to_gold fails or does not run (./pizza status); ./pizza run silver_to_gold publishes the days",
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
    next: "check which workflow was late (./pizza status), or whether the tills or the pipeline were down",
    source: { on: "warehouse", sql: "quality/orders-in-time", parameters: ["limit", "now"] },
  },
  {
    name: "weekday_volume",
    kind: "volume",
    severity: "warning",
    threshold: 0,
    limit: 3,
    sentence: "days of the last week have less than a third, or more than 3 times, the orders of that weekday",
    next: "check for a holiday or a campaign, a store with silent tills, or tills that resend orders under new order ids",
    source: judgedWeek("quality/weekday-volume"),
  },
  {
    name: "silent_tills",
    kind: "volume",
    severity: "warning",
    threshold: 0,
    limit: 10,
    sentence: "stores or tills are silent although at least 10 orders were to be expected of them by now",
    next: "call the store: it may be closed, or its tills may lack power or the network; they send later what they sold",
    source: { on: "lake", sql: "quality/silent-tills", days: "last weeks", parameters: ["limit", "now"] },
  },
  {
    name: "menu_prices",
    kind: "price",
    severity: "error",
    threshold: 0,
    sentence: "order lines differ in price, cost or kind from the menu of their day",
    next: "enter a new price as a new range in data/menu.json, with valid_from; if a range was edited, restore it",
    source: wholeLake("quality/menu-prices"),
  },
  {
    name: "producer_gaps",
    kind: "producers",
    severity: "error",
    threshold: 0,
    sentence: "tills have sequence gaps: events that they sent never arrived",
    next: "./pizza verify names the numbers; the orders are late or still in the till: have the till resend them",
    source: { on: "receipt", invariant: "no gap in a till's numbers" },
  },
  {
    name: "first_events",
    kind: "producers",
    severity: "warning",
    threshold: 0,
    sentence: "orders are known from a later revision only: their first event has not come in three days",
    next: "the orders count with their newest revision; check whether the till still has the first events",
    source: { on: "receipt", invariant: "every order has a first event", isNote: true },
  },
];

/** What a rule found. */
export interface RuleResult extends Omit<QualityRule, "source"> {
  offenders: number;
  isRed: boolean;
  /** Up to ten offenders. */
  examples: string[];
}

/** Returns the result of a rule from its offenders; it is red if they exceed the threshold. */
export function ruleResult(
  { name, kind, severity, threshold, limit, sentence, next }: QualityRule,
  { offenders, examples }: { offenders: number; examples: string[] },
): RuleResult {
  const rule = { name, kind, severity, threshold, ...(limit !== undefined && { limit }), sentence, next };
  return { ...rule, offenders, isRed: offenders > threshold, examples };
}
