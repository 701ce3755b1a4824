import { kinesisAccount } from "../adapters/kinesis-account.ts";
import { loadCatalog, loadChecks, loadGoldSql } from "../adapters/project-files.ts";
import { openSnsNotifier } from "../adapters/sns-notifier.ts";
import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openCustomerKey } from "../handlers/open-customer-key.ts";
import { openLake, openOnFailure, openStore } from "../handlers/open-lake.ts";
import { openLakeSql } from "../handlers/open-lake-sql.ts";
import { openWarehouse } from "../handlers/open-warehouse.ts";
import { setting } from "../handlers/settings.ts";
import { orderStream } from "../silver/tables.ts";
import { checkReceipt } from "./check-receipt.ts";
import { verifyReceipt } from "./verify-receipt.ts";

const open = once(async () => {
  const store = openStore();
  const stream = { stream: orderStream, streamName: setting("STREAM_NAME"), store, onFailure: openOnFailure() };
  const notifier = openSnsNotifier({ topicArn: setting("ALERT_TOPIC_ARN") });
  const books = {
    stream: orderStream,
    catalog: loadCatalog(),
    goldSql: loadGoldSql(),
    checks: loadChecks(),
    customerKey: await openCustomerKey(),
    lake: await openLakeSql(store),
    warehouse: await openWarehouse(),
  };
  // An account is of the stream as it is at that moment, and the tables are read anew.
  return { notifier, verify: () => verifyReceipt({ ...books, ...openLake(), account: kinesisAccount(stream) }) };
});

/** Accounts for every record from the stream to gold, and tells people where it does not balance. */
export const handler = createHandler(
  async () => await checkReceipt(await open()),
  ({ findings }) => ({ ReceiptFindings: findings.length }),
);
