import type { RuleResult } from "../lambdas/domain/quality-rules.ts";
import type { QualityReport } from "../lambdas/quality/check-quality.ts";
import { count, paint, table } from "./output.ts";

/** What the quality rules found, as people read it. */
export function qualityText({ results, silverVersion, orderLines, errors, warnings }: QualityReport): string {
  const rows = results.map((result) => ({
    rule: result.name,
    kind: result.kind,
    severity: result.severity,
    offenders: count(result.offenders),
    found: result.isRed ? "RED" : "ok",
  }));
  return [
    `QUALITY of silver version ${silverVersion}, ${count(orderLines)} order lines`,
    table(rows),
    ...results.filter(({ isRed }) => isRed).flatMap(offenders),
    verdict(errors, warnings),
  ].join("\n");
}

function offenders({ name, offenders: found, sentence, examples, next }: RuleResult): string[] {
  return [
    `${name}: ${count(found)} ${sentence}`,
    ...examples.map((example) => `    ${example}`),
    ...(found > examples.length ? ["    …"] : []),
    `  ${next}`,
  ];
}

function verdict(errors: number, warnings: number): string {
  if (errors > 0) return paint(`RED: ${some(errors, "error")}, ${some(warnings, "warning")}.`, "red");
  return paint(warnings > 0 ? `No errors; ${some(warnings, "warning")}.` : "All rules are green.", "green");
}

const some = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;
