import { hash } from "node:crypto";
import type { DeltaTable, Snapshot } from "../delta/table.ts";
import type { ReasonCode } from "../domain/rejection-reasons.ts";
import { eventPosition, resentKey } from "../domain/stream-position.ts";
import type { LakeQuery, LakeRow } from "../ports.ts";
import { quarantineLakeTable, silverLakeTable } from "../silver/tables.ts";

/** An event that silver refused, as the quarantine keeps it. */
export interface QuarantinedOrder {
  /** Ten hexadecimal digits that follow from its place in the stream. */
  id: string;
  shard: string;
  sequenceNumber: string;
  recordIndex: number;
  /** When the stream took it, ISO 8601 in UTC. */
  arrivedAt: string;
  reason: ReasonCode;
  /** What was refused and why. */
  detail: string;
  /** Null where it cannot be read. */
  orderId: string | null;
  /** What the event says its order is worth, whole cents; null where it cannot be read. */
  cents: number | null;
  /** Whether the order came in since: a corrected one that was sent again, or any later event of the order. */
  isClosed: boolean;
  /** Revision of the order that silver holds; null where it holds none. */
  silverRevision: number | null;
  bronzeKey: string;
  quarantinedAt: string;
  /** As text; what is no UTF-8 is replaced. */
  payload: string;
  /** The exact bytes, where the text could not show them. */
  payloadBase64: string | null;
}

/** Lists every refused event, oldest first; one that was filed twice comes once. */
export async function listQuarantined({
  silver,
  quarantine,
  lake,
  sql,
}: {
  silver: DeltaTable;
  quarantine: DeltaTable;
  lake: LakeQuery;
  /** Text of `sql/checks/refused-events.sql`. */
  sql: string;
}): Promise<QuarantinedOrder[]> {
  const [snapshot, rejected] = await Promise.all([silver.snapshot(), quarantine.snapshot()]);
  if (rejected.files.size === 0) return [];
  const rows = await lake.query(sql, [], [quarantineLakeTable(rejected), silverLakeTable(snapshot)]);
  const orders = new Map(rows.map((row) => refusedOrder(row, snapshot)).map((order) => [order.id, order]));
  return [...orders.values()].toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
}

function refusedOrder(row: LakeRow, { transactions }: Snapshot): QuarantinedOrder {
  const text = (name: string) => String(row[name]);
  const position = {
    shard: text("shard"),
    sequenceNumber: text("sequence_number"),
    recordIndex: Number(row["record_index"]),
  };
  const place = eventPosition(position);
  return {
    id: quarantinedId(place),
    ...position,
    arrivedAt: text("arrived_at"),
    reason: text("reason") as ReasonCode,
    detail: text("detail"),
    orderId: row["order_id"] === null ? null : text("order_id"),
    cents: quarantinedAmount(text("payload")) ?? null,
    isClosed: row["came_later"] === true || transactions.has(resentKey(place)),
    silverRevision: row["silver_revision"] === null ? null : Number(row["silver_revision"]),
    bronzeKey: text("bronze_key"),
    quarantinedAt: text("quarantined_at"),
    payload: text("payload"),
    payloadBase64: row["payload_base64"] === null ? null : text("payload_base64"),
  };
}

/** A short name for a refused event, from its place in the stream. */
export function quarantinedId(place: string): string {
  return hash("sha256", place, "hex").slice(0, 10);
}

/** Sorts by arrival, then by place in the stream. */
function ageOf({ arrivedAt, shard, sequenceNumber, recordIndex }: QuarantinedOrder): string {
  return [arrivedAt, shard, sequenceNumber.padStart(56, "0"), String(recordIndex).padStart(9, "0")].join(" ");
}

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

const mostCents = 10_000_00 * 100 * 200;

/**
 * What an event says its order is worth, whole cents: quantity × unit price of every line, 0 for a cancelled or refunded
 * order. Undefined where its lines cannot be read as numbers.
 */
export function quarantinedAmount(payload: string): number | undefined {
  let event: unknown;
  try {
    event = JSON.parse(payload);
  } catch {
    return undefined;
  }
  const { lines, status } = Object(event) as { lines?: unknown; status?: unknown };
  if (!Array.isArray(lines)) return undefined;
  if (status === "cancelled" || status === "refunded") return 0;
  let cents = 0;
  for (const line of lines) {
    const { quantity, unit_price } = Object(line) as { quantity?: unknown; unit_price?: unknown };
    if (typeof quantity !== "number" || typeof unit_price !== "number") return undefined;
    cents += quantity * Math.round(unit_price * 100);
  }
  return Number.isSafeInteger(cents) && Math.abs(cents) <= mostCents ? cents : undefined;
}
