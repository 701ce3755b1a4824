import { compareCommits } from "../gold/published-commit.ts";
import type { Warehouse } from "../ports.ts";
import { publishedVersion } from "../silver/quarantine-table.ts";
import { refineSilver, type RefineContext } from "../silver/refine-silver.ts";
import { isJudgedByOtherRules } from "../silver/transactions.ts";

/**
 * If silver has lost commits that gold was published from, lets it consume again what only those commits had consumed:
 * a rebuild would take it for lost. Then commits empty versions up to the one that the quarantine was published from,
 * because events that a later commit rejects would count as published under a lower number.
 */
export async function recoverCommits(refinery: RefineContext, warehouse: Warehouse): Promise<void> {
  const { silver, quarantine } = refinery;
  const { lost, snapshot } = await compareCommits({ silver, warehouse });
  // A rebuild under new rules reads all of bronze, and refining is not possible before it.
  if (lost === undefined || isJudgedByOtherRules(snapshot)) return;
  while ((await refineSilver(refinery, { sweep: "full" })).remaining > 0);
  const published = publishedVersion(await quarantine.snapshot());
  for (let { version } = await silver.snapshot(); version < published; { version } = await silver.snapshot()) {
    await silver.commit({
      readVersion: version,
      operation: "RECOVER",
      adds: [],
      removes: [],
      transactions: [],
      operationMetrics: {},
      dataChange: false,
    });
  }
}
