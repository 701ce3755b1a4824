import type { DeltaTable } from "../delta/table.ts";
import { ruleResult, type QualityRule, type RuleResult, qualityRules } from "../domain/quality-rules.ts";
import type { Clock, Notifier, OnProgress, Warehouse } from "../ports.ts";
import {
  evaluateRule,
  needsReceipt,
  noReceipt,
  type FailedReceipt,
  type QualitySources,
  type ReceiptPart,
} from "./evaluate-rule.ts";

/** The results of the rules at one time. */
export interface QualityReport {
  /** ISO 8601, UTC. */
  checkedAt: string;
  /** The silver version that was checked; -1 if silver does not exist yet. */
  silverVersion: number;
  /** Order lines in that version. */
  orderLines: number;
  /** Number of red rules of each severity. */
  errors: number;
  warnings: number;
  results: RuleResult[];
}

type EvaluatedSources = QualitySources & { silver: DeltaTable; clock: Clock; onProgress?: OnProgress };

/** Evaluates every rule at silver's newest version. Read-only; sends no alert. */
async function evaluateRules(
  { silver, clock, onProgress = () => {}, ...sources }: EvaluatedSources,
  { rules, receipt }: { rules: readonly QualityRule[]; receipt: ReceiptPart | FailedReceipt },
): Promise<QualityReport> {
  const [snapshot, now] = [await silver.snapshot(), clock()];
  let done = 0;
  const results = await Promise.all(
    rules.map(async (rule) => {
      const result = ruleResult(rule, await evaluateRule(sources, rule, { snapshot, receipt, now }));
      onProgress(++done, rules.length, "quality rules");
      return result;
    }),
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

/** The sources of the rules, and where alerts are sent. */
export interface QualityContext extends QualitySources {
  silver: DeltaTable;
  clock: Clock;
  notifier: Notifier;
}

/** The report as the check step of `data_quality` returns it: only the outcome of each rule. */
export interface QualitySummary extends Omit<QualityReport, "results"> {
  results: Pick<RuleResult, "name" | "severity" | "offenders" | "isRed" | "examples">[];
}

/**
 * Evaluates every rule, stores the results, and sends an alert about red rules of severity error, which do not fail the
 * step. Rules based on the receipt are excluded from the alert, because the verify step has already sent one, or has
 * failed, which raises another alarm.
 */
export async function checkQuality(
  context: QualityContext,
  receipt: ReceiptPart | FailedReceipt,
): Promise<QualitySummary> {
  const report = await evaluateRules(context, { rules: qualityRules, receipt });
  await storeQuality(context.warehouse, report);
  const { results, ...counts } = report;
  await alertQuality(
    context.notifier,
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

/** Writes a report to `ops.data_quality_results`, one row per rule; idempotent. */
async function storeQuality(
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

/** Sends an alert about the red rules, if there are any. */
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
  return [...rules, "Run ./pizza quality to see all rules; docs/quality.md explains each one."].join("\n\n");
}

/** Returns all rules, or the one with that name; throws an error that lists the names if there is no such rule. */
export function chooseRules(name: string | undefined): readonly QualityRule[] {
  if (name === undefined) return qualityRules;
  const chosen = qualityRules.filter((rule) => rule.name === name);
  if (chosen.length > 0) return chosen;
  throw new Error(`rule ${name} is not known: choose one of ${qualityRules.map((rule) => rule.name).join(", ")}`);
}

/** Evaluates rules on the current data without storing results; computes the receipt only if a rule needs it. */
export async function previewQuality(
  sources: EvaluatedSources,
  { rules, verify }: { rules: readonly QualityRule[]; verify: () => Promise<ReceiptPart> },
): Promise<QualityReport> {
  const receipt = rules.some(needsReceipt) ? await verify() : noReceipt;
  return await evaluateRules(sources, { rules, receipt });
}
