import { hash } from "node:crypto";
import { moneyAtStake } from "../domain/money-at-stake.ts";
import type { ReasonCode } from "../domain/reasons.ts";
import { placeOf, resentKey } from "../domain/resent.ts";
import type { DeltaTable, Snapshot } from "../lake/delta-table.ts";
import type { LakeQuery, LakeRow } from "../ports.ts";
import { quarantineLakeTable, silverLakeTable } from "../silver/tables.ts";

/** An event that silver refused, as the quarantine keeps it. */
export interface RefusedOrder {
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
export async function listRefused({
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
}): Promise<RefusedOrder[]> {
  const [snapshot, refused] = await Promise.all([silver.snapshot(), quarantine.snapshot()]);
  if (refused.files.size === 0) return [];
  const rows = await lake.query(sql, [], [quarantineLakeTable(refused), silverLakeTable(snapshot)]);
  const orders = new Map(rows.map((row) => refusedOrder(row, snapshot)).map((order) => [order.id, order]));
  return [...orders.values()].toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
}

function refusedOrder(row: LakeRow, { transactions }: Snapshot): RefusedOrder {
  const text = (name: string) => String(row[name]);
  const position = {
    shard: text("shard"),
    sequenceNumber: text("sequence_number"),
    recordIndex: Number(row["record_index"]),
  };
  const place = placeOf(position);
  return {
    id: refusedId(place),
    ...position,
    arrivedAt: text("arrived_at"),
    reason: text("reason") as ReasonCode,
    detail: text("detail"),
    orderId: row["order_id"] === null ? null : text("order_id"),
    cents: moneyAtStake(text("payload")) ?? null,
    isClosed: row["came_later"] === true || transactions.has(resentKey(place)),
    silverRevision: row["silver_revision"] === null ? null : Number(row["silver_revision"]),
    bronzeKey: text("bronze_key"),
    quarantinedAt: text("quarantined_at"),
    payload: text("payload"),
    payloadBase64: row["payload_base64"] === null ? null : text("payload_base64"),
  };
}

/** A short name for a refused event, from its place in the stream. */
export function refusedId(place: string): string {
  return hash("sha256", place, "hex").slice(0, 10);
}

/** Sorts by arrival, then by place in the stream. */
function ageOf({ arrivedAt, shard, sequenceNumber, recordIndex }: RefusedOrder): string {
  return [arrivedAt, shard, sequenceNumber.padStart(56, "0"), String(recordIndex).padStart(9, "0")].join(" ");
}
