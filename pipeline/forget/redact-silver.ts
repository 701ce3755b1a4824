import { madeAt } from "../delta/data-file-name.ts";
import { dayMs } from "../domain/dates.ts";
import type { DeltaTable } from "../delta/table.ts";
import { eventPosition } from "../domain/stream-position.ts";
import { readColumns } from "../parquet/read-columns.ts";
import type { Clock, Eraser, ObjectStore } from "../ports.ts";
import { stagingFolder } from "../rebuild/staging-tables.ts";
import { findKnown } from "../silver/find-known.ts";
import { writeOrders, type Refinery } from "../silver/refine-silver.ts";
import { redactions } from "../silver/transactions.ts";
import type { BronzeRedaction } from "./redact-bronze.ts";

/**
 * Writes the customer's rows anew from the redacted events, and names the redacted bronze objects as consumed, in one
 * commit; they are written after it, so nobody can take them for new ones. Gives the data files that it replaced.
 */
export async function redactSilver(
  refinery: Refinery,
  { candidates, keys, records }: BronzeRedaction,
): Promise<{ orders: number; files: number }> {
  const { silver, store, clock } = refinery;
  for (;;) {
    const snapshot = await silver.snapshot();
    const known = await findKnown({ store, root: silver.root, snapshot }, candidates);
    const accepted = candidates.filter(({ event, position }) => {
      const holder = known.orders.get(event.order_id);
      return holder !== undefined && eventPosition(holder.position) === eventPosition(position);
    });
    const changed = accepted.filter(
      ({ event, payloadHash }) => known.orders.get(event.order_id)!.payloadHash !== payloadHash,
    );
    const replaced = new Set(changed.map(({ event }) => event.order_id));
    const { adds, removes } = await writeOrders(refinery, { accepted: changed, replaced }, known);
    const lastUpdated = clock();
    const result = await silver.commit({
      readVersion: snapshot.version,
      operation: "UPDATE",
      adds,
      removes,
      transactions: [
        // A rebuild takes the objects in the order in which silver took them; names that have expired come first.
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

/** A younger file that no version names may be about to be committed. */
const orphanMs = 7 * dayMs;

interface SilverContext {
  store: ObjectStore;
  eraser: Eraser;
  clock: Clock;
}

/**
 * Removes data files of earlier versions that hold the customer: those of silver that bear the old token, and every one of
 * the quarantine, whose files are only replaced to take a customer out. Gives their number. What a rebuild that was killed
 * has left holds copies of both, and goes too; one that goes on meanwhile has to begin again anyhow.
 */
export async function deleteOldVersions(
  place: SilverContext,
  { silver, quarantine, customerKey }: { silver: DeltaTable; quarantine: DeltaTable; customerKey: string },
): Promise<number> {
  let erased = 0;
  for (const path of await formerFiles(place, silver)) {
    const key = `${silver.root}/${path}`;
    const body = await place.store.get(key);
    if (body === undefined) continue;
    if (!(await readColumns(body, ["customer_key"]))["customer_key"]!.includes(customerKey)) continue;
    await place.eraser.erase(key);
    erased++;
  }
  for (const path of await formerFiles(place, quarantine)) {
    await place.eraser.erase(`${quarantine.root}/${path}`);
    erased++;
  }
  for (const { key } of await place.store.list(stagingFolder)) await place.eraser.erase(key);
  return erased;
}

/** Data files that lie in the lake and are not part of the table any more. */
async function formerFiles({ store, clock }: SilverContext, { root, ...table }: DeltaTable): Promise<string[]> {
  const { files, removed } = await table.snapshot();
  const paths = (await store.list(`${root}/`))
    .map(({ key }) => key.slice(root.length + 1))
    .filter((path) => path.endsWith(".parquet") && !path.startsWith("_delta_log/") && !files.has(path));
  return paths.filter((path) => removed.has(path) || (madeAt(path) ?? Infinity) < clock() - orphanMs);
}
