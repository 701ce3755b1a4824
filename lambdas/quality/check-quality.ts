import { judge, type QualityRule, type RuleResult } from "../domain/quality-rules.ts";
import type { DeltaTable } from "../lake/delta-table.ts";
import type { Clock } from "../ports.ts";
import { askRule, type QualityBooks, type ReceiptPart } from "./ask-rule.ts";

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
export async function checkQuality(
  { silver, clock, ...books }: QualityBooks & { silver: DeltaTable; clock: Clock },
  { rules, receipt }: { rules: readonly QualityRule[]; receipt: ReceiptPart },
): Promise<QualityReport> {
  const [snapshot, now] = [await silver.snapshot(), clock()];
  const results = await Promise.all(
    rules.map(async (rule) => judge(rule, await askRule(books, rule, { snapshot, receipt, now }))),
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
