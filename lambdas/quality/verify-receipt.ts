import { kinesisContents } from "../../adapters/kinesis-contents.ts";
import { openLakeEngine } from "../../adapters/lake-engine.ts";
import { loadCatalog, loadChecks, loadGoldSql } from "../../adapters/project-files.ts";
import { openCustomerKey } from "../../adapters/secrets.ts";
import { openSnsNotifier } from "../../adapters/sns-notifier.ts";
import { openWarehouse } from "../../adapters/warehouse.ts";
import { alertReceipt, verifyReceipt } from "../../pipeline/reconciliation/verify-receipt.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openLake, openOnFailure, openStore } from "../runtime/resources.ts";
import { lakeEngineSettings, setting, warehouseSettings } from "../runtime/settings.ts";

const open = lazy(async () => {
  const store = openStore();
  const stream = { stream: orderStream, streamName: setting("STREAM_NAME"), store, onFailure: openOnFailure() };
  const notifier = openSnsNotifier({ topicArn: setting("ALERT_TOPIC_ARN") });
  const sources = {
    stream: orderStream,
    catalog: loadCatalog(),
    goldSql: loadGoldSql(),
    checks: loadChecks(),
    customerKey: await openCustomerKey(setting("CUSTOMER_KEY_SECRET_ARN")),
    lake: await openLakeEngine(lakeEngineSettings(), store),
    warehouse: await openWarehouse(warehouseSettings()),
  };
  // Stream contents are read up to the moment of opening, so each invocation opens the stream and the tables again.
  return {
    notifier,
    verify: () => verifyReceipt({ ...sources, ...openLake(), streamContents: kinesisContents(stream) }),
  };
});

/** Reconciles every record from the stream to gold, and sends an alert if the receipt does not balance. */
export const handler = createHandler(
  async () => await alertReceipt(await open()),
  ({ findings }) => ({ ReceiptFindings: findings.length }),
);
