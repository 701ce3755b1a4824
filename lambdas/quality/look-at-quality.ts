import { qualityRules, type QualityRule } from "../domain/quality-rules.ts";
import type { DeltaTable } from "../lake/delta-table.ts";
import type { Clock } from "../ports.ts";
import type { QualityBooks, ReceiptPart } from "./ask-rule.ts";
import { checkQuality, type QualityReport } from "./check-quality.ts";

/** All rules, or the one of a name; a name that no rule has is an error that lists them. */
export function chooseRules(name: string | undefined): readonly QualityRule[] {
  if (name === undefined) return qualityRules;
  const chosen = qualityRules.filter((rule) => rule.name === name);
  if (chosen.length > 0) return chosen;
  throw new Error(`rule ${name} is not known: choose one of ${qualityRules.map((rule) => rule.name).join(", ")}`);
}

/** Checks rules on the data as they are now, for a person who asks; works the receipt out only where a rule needs it. */
export async function lookAtQuality(
  place: QualityBooks & { silver: DeltaTable; clock: Clock },
  { rules, verify }: { rules: readonly QualityRule[]; verify: () => Promise<ReceiptPart> },
): Promise<QualityReport> {
  const receipt = needsReceipt(rules) ? await verify() : { findings: [], unpublishedDays: [] };
  return await checkQuality(place, { rules, receipt });
}

/** Whether any of these rules asks the receipt, which costs a reading of all of bronze. */
function needsReceipt(rules: readonly QualityRule[]): boolean {
  return rules.some(({ source }) => source.on === "receipt" || (source.on === "lake" && source.days === "unpublished"));
}
