import { qualityRules, type QualityRule, type RuleResult } from "../domain/quality-rules.ts";
import type { DeltaTable } from "../lake/delta-table.ts";
import type { Clock, Notifier } from "../ports.ts";
import type { QualityBooks, ReceiptPart } from "./ask-rule.ts";
import { checkQuality, type QualityReport } from "./check-quality.ts";
import { alertQuality, keepQuality } from "./keep-quality.ts";

export interface QualityPlace extends QualityBooks {
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
export async function runQuality(place: QualityPlace, receipt: ReceiptPart): Promise<QualitySummary> {
  const report = await checkQuality(place, { rules: qualityRules, receipt });
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
