/**
 * One of several processes on one lake and one PostgreSQL. Lands all records in batches of an individual size, and
 * refines, compacts and publishes meanwhile; the other processes do the same. Prints what it achieved as JSON.
 */
import { readFileSync } from "node:fs";
import { openDuckDbOverStore } from "../../adapters/duckdb-over-store.ts";
import { openFolderStore } from "../../adapters/folder-store.ts";
import { openPostgresWarehouse } from "../../adapters/postgres-warehouse.ts";
import { loadCatalog, loadGoldSql } from "../../adapters/project-files.ts";
import { openS3Store } from "../../adapters/s3.ts";
import { landRecords } from "../../pipeline/bronze/land-records.ts";
import type { PublishingPlan, WindowBatch } from "../../pipeline/gold/plan-windows.ts";
import { compactTable } from "../../pipeline/delta/compact.ts";
import type { StreamRecord } from "../../pipeline/ports.ts";
import { createCustomerKey } from "../../pipeline/silver/write-orders.ts";
import { refineSilver } from "../../pipeline/silver/refine-silver.ts";
import { openQuarantine, openSilver, orderStream } from "../../pipeline/silver/tables.ts";
import { createFunctions } from "../../targets/local/functions.ts";

/** A racer's settings, as JSON. */
export interface RaceOrder {
  /** A folder, or the name of a bucket at AWS_ENDPOINT_URL_S3. */
  lake: { folder: string } | { bucket: string };
  /** A separate folder for copies of the lake's files. */
  cache: string;
  connectionString: string;
  /** A file with the stream's records as JSON, their data in base64. */
  records: string;
  batch: number;
  customerSecret: string;
}

/** How often this racer won. */
export interface RaceResult {
  landed: number;
  commits: number;
  compactions: number;
  published: number;
}

const order = JSON.parse(process.argv[2]!) as RaceOrder;
const maxEvents = 40;
const store = "folder" in order.lake ? openFolderStore(order.lake.folder) : openS3Store(order.lake);
const warehouse = openPostgresWarehouse({ connectionString: order.connectionString });
const lake = await openDuckDbOverStore({ store, folder: order.cache, memoryLimit: "256MB" });
const clock = Date.now;
const place = { store, clock };
const refinery = {
  store,
  stream: orderStream,
  silver: openSilver(place),
  quarantine: openQuarantine(place),
  catalog: loadCatalog(),
  customerKey: createCustomerKey(order.customerSecret),
  clock,
};
const run = createFunctions({
  refinery,
  onFailure: openFolderStore(`${order.cache}-on-failure`),
  lake,
  warehouse,
  goldSql: loadGoldSql(),
  customersEveryMs: 0,
  verify: () => Promise.reject(new Error("a racer does not verify")),
});
const result: RaceResult = { landed: 0, commits: 0, compactions: 0, published: 0 };

const state = { isLanding: true };
await Promise.all([land().finally(() => (state.isLanding = false)), work()]);
process.stdout.write(JSON.stringify(result));
await warehouse.close();
await lake.close();

async function land(): Promise<void> {
  const records = (JSON.parse(readFileSync(order.records, "utf8")) as (StreamRecord & { data: string })[]).map(
    (record): StreamRecord => ({ ...record, data: Buffer.from(record.data, "base64") }),
  );
  for (let at = 0; at < records.length; at += order.batch) {
    const { created } = await landRecords(refinery, records.slice(at, at + order.batch));
    if (created) result.landed++;
  }
}

async function work(): Promise<void> {
  for (let isOver = false; !isOver;) {
    // Read first: records that land meanwhile are refined in the next round.
    const { isLanding } = state;
    const { bronzeObjects } = await refineSilver(refinery, { maxEvents });
    if (bronzeObjects > 0) result.commits++;
    await run["PublishQuarantine"]!({} as never);
    const { committed } = await compactTable({ table: refinery.silver, store, minFiles: 3 });
    if (committed) result.compactions++;
    await publish();
    isOver = bronzeObjects === 0 && !isLanding;
  }
}

async function publish(): Promise<void> {
  const plan = (await run["PlanWindows"]!({ customers: "now" } as never)) as PublishingPlan;
  for (const batch of plan.batches) {
    const { published } = (await run["PublishWindows"]!(batch satisfies WindowBatch as never)) as { published: number };
    result.published += published;
  }
  if (plan.customersDue) await run["PublishCustomers"]!(plan as never);
  await run["ReportWindows"]!(plan as never);
}
