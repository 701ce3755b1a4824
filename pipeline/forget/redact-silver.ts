import { madeAt } from "../delta/data-file-name.ts";
import { dayMs } from "../domain/dates.ts";
import type { DeltaTable } from "../delta/table.ts";
import { nameOf } from "../domain/merge-orders.ts";
import { OrderMap } from "../domain/order-map.ts";
import { eventPosition } from "../domain/stream-position.ts";
import { readColumns } from "../parquet/read-columns.ts";
import type { Clock, Eraser, ObjectStore } from "../ports.ts";
import { stagingFolder } from "../rebuild/staging-tables.ts";
import { findKnown } from "../silver/find-known.ts";
import { writeOrders, type RefineContext } from "../silver/refine-silver.ts";
import { redactions } from "../silver/transactions.ts";
import type { BronzeRedaction } from "./redact-bronze.ts";

/**
 * Rewrites the customer's rows from the redacted events, and marks the redacted bronze objects as consumed, in one
 * commit. The objects are written after it, so that silver never treats them as new ones. Returns the number of
 * rewritten orders and replaced data files.
 */
export async function redactSilver(
  refinery: RefineContext,
  { candidates, keys, records }: BronzeRedaction,
): Promise<{ orders: number; files: number }> {
  const { silver, store, clock } = refinery;
  for (;;) {
    const snapshot = await silver.snapshot();
    const known = await findKnown({ store, root: silver.root, snapshot }, candidates);
    const changed = candidates.filter((candidate) => {
      const holder = known.orders.get(nameOf(candidate));
      if (holder === undefined || eventPosition(holder.position) !== eventPosition(candidate.position)) return false;
      return holder.payloadHash !== candidate.payloadHash;
    });
    const replaced = new OrderMap<true>();
    for (const candidate of changed) replaced.set(nameOf(candidate), true);
    const { adds, removes } = await writeOrders(refinery, { accepted: changed, replaced }, known);
    const lastUpdated = clock();
    const result = await silver.commit({
      readVersion: snapshot.version,
      operation: "UPDATE",
      adds,
      removes,
      transactions: [
        // A redacted object keeps the time of its original: a rebuild takes the copy that was consumed first.
        ...[...keys].map(([before, appId]) => ({
          appId,
          version: 0,
          lastUpdated: snapshot.transactions.get(before)?.lastUpdated ?? 0,
        })),
        ...redactions(records, lastUpdated),
      ],
      operationMetrics: { redactedOrders: changed.length, redactedRecords: records.length },
    });
    if (result.committed) return { orders: changed.length, files: removes.length };
  }
}

/** A younger unreferenced file may be about to be committed. */
const orphanMs = 7 * dayMs;

interface SilverContext {
  store: ObjectStore;
  eraser: Eraser;
  clock: Clock;
}

/**
 * Deletes data files of old versions that contain the customer: silver's files with the old customer key, and all
 * former files of the quarantine, which are replaced only by redaction. Returns their number. It also deletes all
 * staging tables, which hold copies of both; a rebuild that is running has to start again in any case.
 */
export async function deleteOldVersions(
  context: SilverContext,
  { silver, quarantine, customerKey }: { silver: DeltaTable; quarantine: DeltaTable; customerKey: string },
): Promise<number> {
  let erased = 0;
  for (const path of await formerFiles(context, silver)) {
    const key = `${silver.root}/${path}`;
    const body = await context.store.get(key);
    if (body === undefined) continue;
    if (!(await readColumns(body, ["customer_key"]))["customer_key"]!.includes(customerKey)) continue;
    await context.eraser.erase(key);
    erased++;
  }
  for (const path of await formerFiles(context, quarantine)) {
    await context.eraser.erase(`${quarantine.root}/${path}`);
    erased++;
  }
  for (const { key } of await context.store.list(stagingFolder)) await context.eraser.erase(key);
  return erased;
}

/** Returns the data files in the lake that are no longer part of the table. */
async function formerFiles({ store, clock }: SilverContext, { root, ...table }: DeltaTable): Promise<string[]> {
  const { files, removed } = await table.snapshot();
  const paths = (await store.list(`${root}/`))
    .map(({ key }) => key.slice(root.length + 1))
    .filter((path) => path.endsWith(".parquet") && !path.startsWith("_delta_log/") && !files.has(path));
  return paths.filter((path) => removed.has(path) || (madeAt(path) ?? Infinity) < clock() - orphanMs);
}
