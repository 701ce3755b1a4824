import type { DeltaTable } from "../lake/delta-table.ts";
import type { LakeQuery } from "../ports.ts";
import { silverLakeTable } from "../silver/tables.ts";

/** What silver holds of an order, as far as it decides about a further event of it; plain enough for JSON. */
export interface HeldOrder {
  orderId: string;
  revision: number;
  /** Business date, `YYYY-MM-DD`. */
  orderDate: string;
  /** ISO 8601 in UTC. */
  orderedAt: string;
  /** A 64-bit integer. */
  payloadHash: string;
}

/** So many orders are asked for at once: engines limit a query's length. */
const mostAtOnce = 500;

/** Looks orders up in silver by their ids; those that it does not hold are left out. */
export async function heldOrders(
  { silver, lake }: { silver: DeltaTable; lake: LakeQuery },
  orderIds: readonly string[],
): Promise<HeldOrder[]> {
  const table = silverLakeTable(await silver.snapshot());
  const held: HeldOrder[] = [];
  for (let start = 0; start < orderIds.length; start += mostAtOnce) {
    const ids = orderIds.slice(start, start + mostAtOnce);
    for (const row of await lake.query(ordersSql(ids.length), ids, [table])) {
      held.push({
        orderId: String(row["order_id"]),
        revision: Number(row["revision"]),
        orderDate: String(row["order_date"]),
        orderedAt: String(row["ordered_at"]),
        payloadHash: String(row["payload_hash"]),
      });
    }
  }
  return held;
}

/** One row per order; all of its lines say the same. */
function ordersSql(count: number): string {
  return `select order_id, max(revision) as revision, cast(max(order_date) as varchar) as order_date,
      max(ordered_at) as ordered_at, cast(max(payload_hash) as varchar) as payload_hash
    from silver_order_lines
    where order_id in (${Array<string>(count).fill("?").join(", ")})
    group by order_id`;
}
