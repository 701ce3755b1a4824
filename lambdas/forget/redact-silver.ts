import { placeOf } from "../domain/resent.ts";
import { findKnown } from "../silver/find-known.ts";
import { redactions } from "../silver/redacted-records.ts";
import { writeOrders, type Refinery } from "../silver/refine-silver.ts";
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
      return holder !== undefined && placeOf(holder.position) === placeOf(position);
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
