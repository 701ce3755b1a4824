import { loadCatalog, loadQualitySql } from "../adapters/project-files.ts";
import { openSnsNotifier } from "../adapters/sns-notifier.ts";
import { createHandler } from "../handlers/create-handler.ts";
import { emitMetrics } from "../handlers/metrics.ts";
import { once } from "../handlers/once.ts";
import { openLakeSql } from "../handlers/open-lake-sql.ts";
import { openLake } from "../handlers/open-lake.ts";
import { openWarehouse } from "../handlers/open-warehouse.ts";
import { setting } from "../handlers/settings.ts";
import type { ReceiptPart } from "./ask-rule.ts";
import { runQuality } from "./run-quality.ts";

const open = once(async () => {
  const { store, silver, clock } = openLake();
  return {
    silver,
    clock,
    catalog: loadCatalog(),
    qualitySql: loadQualitySql(),
    notifier: openSnsNotifier({ topicArn: setting("ALERT_TOPIC_ARN") }),
    lake: await openLakeSql(store),
    warehouse: await openWarehouse(),
  };
});

/** Checks the quality rules, keeps what they found, and tells people of errors. */
export const handler = createHandler(
  async (receipt: ReceiptPart) => {
    const summary = await runQuality(await open(), receipt);
    for (const { name, offenders } of summary.results) emitMetrics({ QualityOffenders: offenders }, { rule: name });
    return summary;
  },
  ({ errors, warnings }) => ({ QualityErrors: errors, QualityWarnings: warnings }),
);
