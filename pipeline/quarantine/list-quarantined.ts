import { hash } from "node:crypto";
import type { DeltaTable, Snapshot } from "../delta/table.ts";
import { showOrder, type OrderName } from "../domain/order-map.ts";
import type { ReasonCode } from "../domain/rejection-reasons.ts";
import { eventPosition, resentKey } from "../domain/stream-position.ts";
import { amountIn } from "../domain/salvage-orders.ts";
import type { LakeQuery, LakeRow } from "../ports.ts";
import { readList, type SeenOrder } from "../silver/orders-in-event.ts";
import { quarantineLakeTable, silverLakeTable } from "../silver/tables.ts";

/** Orders per query, because the engines limit a query's length. */
const mostAtOnce = 500;

/** An event that silver rejected, as the quarantine stores it. */
export interface QuarantinedOrder {
  /** Ten hexadecimal digits, derived from its stream position. */
  id: string;
  shard: string;
  sequenceNumber: string;
  recordIndex: number;
  /** Arrival time in the stream, ISO 8601 in UTC. */
  arrivedAt: string;
  reason: ReasonCode;
  /** What was rejected and why. If the bytes hold several orders, it ends with their list. */
  detail: string;
  /** What names the order; each is null if it cannot be read. */
  orderId: string | null;
  storeId: string | null;
  /** Business date, `YYYY-MM-DD`. */
  orderDate: string | null;
  /** The quarantined amount: the value of all orders that the bytes show, in cents; null if they show none. */
  cents: number | null;
  /** Whether the event is resolved: its order was accepted since, from a resent or any other later event. */
  isClosed: boolean;
  /** Revision of the order in silver; null if silver does not have it. */
  silverRevision: number | null;
  bronzeKey: string;
  quarantinedAt: string;
  /** The event as text; invalid UTF-8 is replaced. */
  payload: string;
  /** The exact bytes, if they are not valid UTF-8. */
  payloadBase64: string | null;
}

/** Lists every quarantined event once, oldest first. */
export async function listQuarantined({
  silver,
  quarantine,
  lake,
  sql,
}: {
  silver: DeltaTable;
  quarantine: DeltaTable;
  lake: LakeQuery;
  /** Text of `sql/checks/rejected-events.sql`. */
  sql: string;
}): Promise<QuarantinedOrder[]> {
  const [snapshot, rejected] = await Promise.all([silver.snapshot(), quarantine.snapshot()]);
  if (rejected.files.size === 0) return [];
  const rows = await lake.query(sql, [], [quarantineLakeTable(rejected), silverLakeTable(snapshot)]);
  const orders = new Map(rows.map((row) => quarantinedOrder(row, snapshot)).map((order) => [order.id, order]));
  const listed = [...orders.values()].toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  return await waitForAll(listed, { lake, snapshot });
}

/** A row whose bytes hold several orders is resolved once each of them was accepted from a later event. */
async function waitForAll(
  listed: QuarantinedOrder[],
  { lake, snapshot }: { lake: LakeQuery; snapshot: Snapshot },
): Promise<QuarantinedOrder[]> {
  const several = new Map(
    listed.map((row) => [row, readList(row.detail)] as const).filter(([, seen]) => seen.length > 0),
  );
  const ids = [...new Set([...several.values()].flatMap((seen) => seen.map(({ orderId }) => orderId)))];
  if (ids.length === 0) return listed;
  const arrivals = new Map<string, number>();
  for (let start = 0; start < ids.length; start += mostAtOnce) {
    const some = ids.slice(start, start + mostAtOnce);
    for (const row of await lake.query(arrivalsSql(some.length), some, [silverLakeTable(snapshot)])) {
      const order = {
        orderDate: String(row["order_date"]),
        storeId: String(row["store_id"]),
        orderId: String(row["order_id"]),
      };
      arrivals.set(showOrder(order), Date.parse(String(row["arrived_at"])));
    }
  }
  return listed.map((row) => {
    const seen = several.get(row);
    if (seen === undefined) return row;
    const isIn = ({ orderDate, storeId, orderId }: SeenOrder) =>
      orderDate !== null &&
      storeId !== null &&
      (arrivals.get(showOrder({ orderDate, storeId, orderId })) ?? 0) > Date.parse(row.arrivedAt);
    return { ...row, isClosed: seen.every(isIn) };
  });
}

function arrivalsSql(count: number): string {
  return `select cast(order_date as varchar) as order_date, store_id, order_id, max(arrived_at) as arrived_at
    from silver_order_lines
    where order_id in (${Array<string>(count).fill("?").join(", ")})
    group by order_date, store_id, order_id`;
}

function quarantinedOrder(row: LakeRow, { transactions }: Snapshot): QuarantinedOrder {
  const text = (name: string) => String(row[name]);
  const textOrNull = (name: string) => (row[name] === null ? null : text(name));
  const fields = {
    shard: text("shard"),
    sequenceNumber: text("sequence_number"),
    recordIndex: Number(row["record_index"]),
  };
  const position = eventPosition(fields);
  return {
    id: quarantinedId(position),
    ...fields,
    arrivedAt: text("arrived_at"),
    reason: text("reason") as ReasonCode,
    detail: text("detail"),
    orderId: textOrNull("order_id"),
    storeId: textOrNull("store_id"),
    orderDate: textOrNull("order_date"),
    cents: amountIn(text("payload")) ?? null,
    isClosed: row["came_later"] === true || transactions.has(resentKey(position)),
    silverRevision: row["silver_revision"] === null ? null : Number(row["silver_revision"]),
    bronzeKey: text("bronze_key"),
    quarantinedAt: text("quarantined_at"),
    payload: text("payload"),
    payloadBase64: textOrNull("payload_base64"),
  };
}

/** Returns a quarantined event's short id, derived from its stream position. */
export function quarantinedId(position: string): string {
  return hash("sha256", position, "hex").slice(0, 10);
}

/** Returns a sort key: arrival time, then stream position. */
function ageOf({ arrivedAt, shard, sequenceNumber, recordIndex }: QuarantinedOrder): string {
  return [arrivedAt, shard, sequenceNumber.padStart(56, "0"), String(recordIndex).padStart(9, "0")].join(" ");
}

/** What silver holds of an order: the values that decide about a further event of it, serializable as JSON. */
export interface HeldOrder extends OrderName {
  revision: number;
  /** ISO 8601 in UTC. */
  orderedAt: string;
  emittedAt: string;
  producerSeq: number;
  /** A 64-bit integer. */
  payloadHash: string;
}

/** Looks orders up in silver; the result omits orders that silver does not have. */
export async function heldOrders(
  { silver, lake }: { silver: DeltaTable; lake: LakeQuery },
  orders: readonly OrderName[],
): Promise<HeldOrder[]> {
  const wanted = new Set(orders.map(showOrder));
  const table = silverLakeTable(await silver.snapshot(), new Set(orders.map(({ orderDate }) => orderDate)));
  const held: HeldOrder[] = [];
  const ids = [...new Set(orders.map(({ orderId }) => orderId))];
  for (let start = 0; start < ids.length; start += mostAtOnce) {
    const some = ids.slice(start, start + mostAtOnce);
    for (const row of await lake.query(ordersSql(some.length), some, [table])) {
      const text = (name: string) => String(row[name]);
      held.push({
        orderDate: text("order_date"),
        storeId: text("store_id"),
        orderId: text("order_id"),
        revision: Number(row["revision"]),
        orderedAt: text("ordered_at"),
        emittedAt: text("emitted_at"),
        producerSeq: Number(row["producer_seq"]),
        payloadHash: text("payload_hash"),
      });
    }
  }
  return held.filter((order) => wanted.has(showOrder(order)));
}

/** One row per order: these values are equal on all of its lines, so `max` only picks one. */
function ordersSql(count: number): string {
  return `select cast(order_date as varchar) as order_date, store_id, order_id, max(revision) as revision,
      max(ordered_at) as ordered_at, max(emitted_at) as emitted_at, max(producer_seq) as producer_seq,
      cast(max(payload_hash) as varchar) as payload_hash
    from silver_order_lines
    where order_id in (${Array<string>(count).fill("?").join(", ")})
    group by order_date, store_id, order_id`;
}
