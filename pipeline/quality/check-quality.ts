import type { DeltaTable } from "../delta/table.ts";
import { judge, type QualityRule, type RuleResult, qualityRules } from "../domain/quality-rules.ts";
import type { Clock, Notifier, Warehouse } from "../ports.ts";
import { evaluateRule, type QualitySources, type ReceiptPart } from "./evaluate-rule.ts";

/** What the rules found at one moment. */
export interface QualityReport {
  /** ISO 8601, UTC. */
  checkedAt: string;
  /** Version of silver that was looked at; -1 before the first. */
  silverVersion: number;
  /** Order lines in that version. */
  orderLines: number;
  /** Red rules of each severity. */
  errors: number;
  warnings: number;
  results: RuleResult[];
}

/** Asks every rule for its offenders, at the newest version of silver. Changes nothing and tells nobody. */
async function evaluateRules(
  { silver, clock, ...sources }: QualitySources & { silver: DeltaTable; clock: Clock },
  { rules, receipt }: { rules: readonly QualityRule[]; receipt: ReceiptPart },
): Promise<QualityReport> {
  const [snapshot, now] = [await silver.snapshot(), clock()];
  const results = await Promise.all(
    rules.map(async (rule) => judge(rule, await evaluateRule(sources, rule, { snapshot, receipt, now }))),
  );
  const red = (severity: QualityRule["severity"]) =>
    results.filter((result) => result.isRed && result.severity === severity).length;
  return {
    checkedAt: new Date(now).toISOString(),
    silverVersion: snapshot.version,
    orderLines: [...snapshot.files.values()].reduce((sum, { rows }) => sum + rows, 0),
    errors: red("error"),
    warnings: red("warning"),
    results,
  };
}

export interface QualityContext extends QualitySources {
  silver: DeltaTable;
  clock: Clock;
  notifier: Notifier;
}

/** A report as a step of `data_quality` gives it back: of each rule its outcome. */
export interface QualitySummary extends Omit<QualityReport, "results"> {
  results: Pick<RuleResult, "name" | "severity" | "offenders" | "isRed" | "examples">[];
}

/**
 * Checks every rule, keeps the results, and tells people of errors; red rules are no failure of the step. Of what comes from
 * the receipt the step before has told already.
 */
export async function checkQuality(place: QualityContext, receipt: ReceiptPart): Promise<QualitySummary> {
  const report = await evaluateRules(place, { rules: qualityRules, receipt });
  await keepQuality(place.warehouse, report);
  const { results, ...counts } = report;
  await alertQuality(
    place.notifier,
    results.filter(({ name, isRed, severity }) => isRed && severity === "error" && !fromReceipt.has(name)),
  );
  return {
    ...counts,
    results: results.map(({ name, severity, offenders, isRed, examples }) => ({
      name,
      severity,
      offenders,
      isRed,
      examples,
    })),
  };
}

const isFromReceipt = ({ source }: QualityRule): boolean => source.on === "receipt";
const fromReceipt = new Set(qualityRules.filter(isFromReceipt).map(({ name }) => name));

/** Writes a report to `ops.data_quality_results`, a row per rule; the same report again changes nothing. */
async function keepQuality(
  warehouse: Warehouse,
  { checkedAt, silverVersion, orderLines, results }: QualityReport,
): Promise<void> {
  await warehouse.query(
    `insert into ops.data_quality_results (
         checked_at, rule, kind, severity, offenders, threshold, is_red, examples, silver_version, order_lines
     )
     select $1::timestamptz, name, kind, severity, offenders, threshold, "isRed", examples, $2::bigint, $3::bigint
     from jsonb_to_recordset($4::jsonb) as result (
         name text, kind text, severity text, offenders bigint, threshold bigint, "isRed" boolean, examples jsonb
     )
     on conflict do nothing`,
    [checkedAt, silverVersion, orderLines, JSON.stringify(results)],
  );
}

/** Tells people of the red rules of severity error, where there are any. */
async function alertQuality(notifier: Notifier, red: readonly RuleResult[]): Promise<void> {
  if (red.length === 0) return;
  const names = red.map(({ name }) => name).join(", ");
  await notifier.notify({ subject: `Pizza sales: quality rules are red: ${names}`, text: textOf(red) });
}

function textOf(red: readonly RuleResult[]): string {
  const rules = red.map(({ name, offenders, sentence, examples, next }) =>
    [`${name}: ${offenders} ${sentence}`, ...examples.map((example) => `  ${example}`), `What to do: ${next}.`].join(
      "\n",
    ),
  );
  return [...rules, "./pizza quality shows all rules; docs/quality.md says what each one means."].join("\n\n");
}

/** All rules, or the one of a name; a name that no rule has is an error that lists them. */
export function chooseRules(name: string | undefined): readonly QualityRule[] {
  if (name === undefined) return qualityRules;
  const chosen = qualityRules.filter((rule) => rule.name === name);
  if (chosen.length > 0) return chosen;
  throw new Error(`rule ${name} is not known: choose one of ${qualityRules.map((rule) => rule.name).join(", ")}`);
}

/** Checks rules on the data as they are now, for a person who asks; works the receipt out only where a rule needs it. */
export async function previewQuality(
  place: QualitySources & { silver: DeltaTable; clock: Clock },
  { rules, verify }: { rules: readonly QualityRule[]; verify: () => Promise<ReceiptPart> },
): Promise<QualityReport> {
  const receipt = needsReceipt(rules) ? await verify() : { findings: [], unpublishedDays: [] };
  return await evaluateRules(place, { rules, receipt });
}

/** Whether any of these rules asks the receipt, which costs a reading of all of bronze. */
function needsReceipt(rules: readonly QualityRule[]): boolean {
  return rules.some(({ source }) => source.on === "receipt" || (source.on === "lake" && source.days === "unpublished"));
}
