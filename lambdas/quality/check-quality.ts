import { openLakeEngine } from "../../adapters/lake-engine.ts";
import { loadCatalog, loadQualitySql } from "../../adapters/project-files.ts";
import { openSnsNotifier } from "../../adapters/sns-notifier.ts";
import { openWarehouse } from "../../adapters/warehouse.ts";
import { checkQuality } from "../../pipeline/quality/check-quality.ts";
import type { FailedReceipt, ReceiptPart } from "../../pipeline/quality/evaluate-rule.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { emitMetrics } from "../runtime/metrics.ts";
import { openLake } from "../runtime/resources.ts";
import { lakeEngineSettings, setting, warehouseSettings } from "../runtime/settings.ts";

const open = lazy(async () => {
  const { store, silver, clock } = openLake();
  return {
    silver,
    clock,
    catalog: loadCatalog(),
    qualitySql: loadQualitySql(),
    notifier: openSnsNotifier({ topicArn: setting("ALERT_TOPIC_ARN") }),
    lake: await openLakeEngine(lakeEngineSettings(), store),
    warehouse: await openWarehouse(warehouseSettings()),
  };
});

/** Checks the quality rules, stores the results, and sends an alert on errors. */
export const handler = createHandler(
  async ({ receipt }: { receipt: ReceiptPart | FailedReceipt }) => {
    const summary = await checkQuality(await open(), receipt);
    for (const { name, offenders } of summary.results) emitMetrics({ QualityOffenders: offenders }, { rule: name });
    return summary;
  },
  ({ errors, warnings }) => ({ QualityErrors: errors, QualityWarnings: warnings }),
);
