import type { RuleResult } from "../domain/quality-rules.ts";
import type { Notifier, Warehouse } from "../ports.ts";
import type { QualityReport } from "./check-quality.ts";

/** Writes a report to `ops.data_quality_results`, a row per rule; the same report again changes nothing. */
export async function keepQuality(
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
export async function alertQuality(notifier: Notifier, red: readonly RuleResult[]): Promise<void> {
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
  return [...rules, "pizza quality shows all rules; docs/quality.md says what each one means."].join("\n\n");
}
