import { qualityRules, type RuleResult } from "../../pipeline/domain/quality-rules.ts";
import type { QualityReport } from "../../pipeline/quality/check-quality.ts";
import type { ColumnProfile, SilverProfile } from "../../pipeline/quality/profile-silver.ts";
import { oneOf, type Command, type Values } from "../options.ts";
import { count, paint, print, printJson, textTable, UsageError } from "../output.ts";
import { lakeSqlOption, withProgress, withReadOnlyPipeline } from "../with-target.ts";

const names = qualityRules.map(({ name }) => name);
/** Of the most frequent values in a profile. */
const shownValues = 3;
/** Characters of the least and greatest value in a profile. */
const widest = 24;

export const quality: Command = {
  summary: "check the quality rules (exit code 3 if a rule of severity error is red)",
  examples: ["quality", "quality --rule silent_tills"],
  usage: "quality [--rule NAME | --profile] [--json] [--lake-sql athena|duckdb]",
  options: {
    rule: { type: "string", about: `check only this rule: ${names.join(", ")}` },
    profile: {
      type: "boolean",
      about: "profile silver's columns instead: the newest week compared with the week before",
    },
    ...lakeSqlOption,
  },
  async run(values) {
    const rule = oneOf(values, "rule", names);
    if (values["profile"] === true) return await showProfile(values, rule);
    const report = await withReadOnlyPipeline(values, (pipeline) => withProgress(pipeline, pipeline.quality({ rule })));
    if (values.json) printJson(report);
    else print(qualityText(report));
    return report.errors === 0 ? 0 : 3;
  },
};

async function showProfile(values: Values, rule: string | undefined): Promise<number> {
  if (rule !== undefined) throw new UsageError("--rule has no effect with --profile: use one of them");
  const profile = await withReadOnlyPipeline(values, (pipeline) => pipeline.profile());
  if (values.json) printJson(profile);
  else print(profileText(profile));
  return 0;
}

/** Formats a quality report as text. */
function qualityText({ results, silverVersion, orderLines, errors, warnings }: QualityReport): string {
  const rows = results.map((result) => ({
    rule: result.name,
    kind: result.kind,
    severity: result.severity,
    offenders: count(result.offenders),
    found: result.isRed ? "RED" : "ok",
  }));
  return [
    `QUALITY of silver version ${silverVersion}, ${count(orderLines)} order lines`,
    textTable(rows),
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

/** Formats a profile of silver as text. */
export function profileText({ silverVersion, week, lines, linesBefore, columns }: SilverProfile): string {
  if (week === null) return "silver has no orders yet";
  return [
    `SILVER version ${silverVersion}, ${week.from} to ${week.until}: ${count(lines)} order lines, ${count(linesBefore)} in the week before`,
    textTable(columns.map((column) => row(column, lines))),
  ].join("\n");
}

function row({ name, nulls, distinct, least, greatest, top, drift }: ColumnProfile, lines: number) {
  const often = top.slice(0, shownValues).map(({ value, lines: n }) => `${value ?? "null"} ${percent(n / lines)}`);
  return {
    column: name,
    nulls: percent(nulls / lines),
    distinct: count(distinct),
    least: short(least),
    greatest: short(greatest),
    drift: drift === null ? "" : percent(drift),
    "most frequent": often.join(", "),
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function short(text: string | null): string {
  return text === null ? "" : text.length <= widest ? text : `${text.slice(0, widest - 1)}…`;
}
