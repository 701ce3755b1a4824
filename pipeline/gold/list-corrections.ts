import { showOrder, type OrderName } from "../domain/order-map.ts";
import { VersionNotKept, type DeltaTable, type Snapshot } from "../delta/table.ts";
import type { LakeQuery, LakeRow, ObjectStore, Warehouse } from "../ports.ts";
import { silverLakeTable, silverFilesThere, linesAtVersions, type DayAtVersion } from "../silver/tables.ts";

/** A value of gold that changed after it was reported: a row of `gold.restated_values`. */
export interface RestatedValue {
  table_name: string;
  key: Record<string, unknown>;
  column_name: string;
  first_reported: string | null;
  now_known: string | null;
  /** Decimal; null if the values are not numbers. */
  change: string | null;
  corrections: number;
  last_corrected_at: string;
  last_cause: string;
}

/** An order that was missing, or different, when its day was reported. */
export interface LateOrder {
  order_date: string;
  store_id: string;
  order_id: string;
  /** "corrected": a later revision with the status `placed`, such as a resent quarantined event. */
  why: "late" | "amended" | "corrected" | "cancelled" | "refunded" | "gone" | "refined anew";
  /** Revision as first reported; null if the order was not in silver then. */
  reported_revision: number | null;
  revision: number | null;
  /** When the current revision arrived in the stream, ISO 8601. */
  arrived_at: string | null;
  /** Revenue that was reported, US cents; 0 if the order was not a sale. */
  reported_cents: number;
  cents: number;
}

/** What changed in gold after it was reported. */
export interface Corrections {
  /** ISO 8601 */
  since: string;
  values: RestatedValue[];
  orders: LateOrder[];
  /** Restated days whose reported orders can no longer be read: silver's version or its data files are gone. */
  daysWithoutOrders: string[];
}

interface Lake {
  store: ObjectStore;
  silver: DeltaTable;
  lake: LakeQuery;
}

/** Lists the reported gold values that changed since a time (ISO 8601), and the orders behind the changes. */
export async function listCorrections(
  { warehouse, ...sources }: Lake & { warehouse: Warehouse },
  { since }: { since: string },
): Promise<Corrections> {
  const values = await warehouse.query<RestatedValue>(valuesSql, [since]);
  const days = await warehouse.query<Day>(daysSql, [since]);
  const readable = days.length === 0 ? [] : await readableDays(sources, days);
  const orders: LateOrder[] = [];
  for (const ofVersion of Map.groupBy(readable, ({ reported_version }) => reported_version).values()) {
    orders.push(...(await ordersBehind(sources, ofVersion)));
  }
  const known = new Set(readable.map(({ order_date }) => order_date));
  const daysWithoutOrders = days.map(({ order_date }) => order_date).filter((day) => !known.has(day));
  orders.sort((one, other) => (showOrder(orderOf(one)) < showOrder(orderOf(other)) ? -1 : 1));
  return { since, values, orders, daysWithoutOrders };
}

interface Day {
  order_date: string;
  reported_version: string | null;
  version: string;
}

const valuesSql = `
  select table_name, key, column_name, first_reported, now_known, change::text as change, corrections,
    last_corrected_at, last_cause
  from gold.restated_values
  where last_corrected_at >= $1::timestamptz
  order by table_name, key::text, column_name`;

/** The days of the corrections since then, with the silver versions that they showed when reported and show now. */
const daysSql = `
  select
    order_date::text as order_date,
    reported_version::text as reported_version,
    greatest(
      silver_version, (select value::bigint from ops.cursor where name = 'silver_version')
    )::text as version
  from ops.windows
  where order_date in (
    select order_date from ops.corrections
    where corrected_at >= $1::timestamptz and table_name = 'gold.daily_sales_summary'
  )
  order by 1`;

/** A day whose reported and current versions are both in the lake; version -1 precedes silver's first version. */
interface ReadableDay {
  order_date: string;
  reported_version: number;
  version: number;
}

/**
 * Returns the days whose data files still exist: forgetting a customer, and retention, remove files of old versions.
 */
async function readableDays({ store, silver }: Lake, days: readonly Day[]): Promise<ReadableDay[]> {
  const existing = await silverFilesThere(store, silver);
  const snapshots = new Map<number, Snapshot | undefined>();
  const isReadable = async (date: string, version: number) => {
    if (version < 0) return true;
    if (!snapshots.has(version)) snapshots.set(version, await silver.snapshot(version).catch(undefinedIfNotKept));
    const snapshot = snapshots.get(version);
    return snapshot !== undefined && silverLakeTable(snapshot, [date]).files.every((file) => existing.has(file));
  };
  const readable: ReadableDay[] = [];
  for (const { order_date, ...shown } of days) {
    if (shown.reported_version === null) continue;
    const [reported, version] = [Number(shown.reported_version), Number(shown.version)];
    if ((await isReadable(order_date, reported)) && (await isReadable(order_date, version))) {
      readable.push({ order_date, reported_version: reported, version });
    }
  }
  return readable;
}

function undefinedIfNotKept(error: unknown): undefined {
  if (!(error instanceof VersionNotKept)) throw error;
}

/** Returns the orders that changed on days of one reported version. */
async function ordersBehind(sources: Lake, days: readonly ReadableDay[]): Promise<LateOrder[]> {
  const then = days
    .filter(({ reported_version }) => reported_version >= 0)
    .map(({ order_date, reported_version }) => ({ order_date, version: reported_version }));
  return compareOrders(await readOrders(sources, then), await readOrders(sources, days));
}

const ordersSql = `
  select cast(order_date as varchar) as order_date, store_id, order_id, max(revision) as revision, max(status) as status,
    max(arrived_at) as arrived_at, cast(sum(revenue_cents) as bigint) as cents, cast(max(payload_hash) as varchar) as hash
  from silver_order_lines
  group by order_date, store_id, order_id`;

async function readOrders({ silver, lake }: Lake, days: readonly DayAtVersion[]) {
  const table = await linesAtVersions(silver, days);
  const rows = await lake.query(ordersSql, [], [table]);
  return new Map(rows.map((row) => [showOrder(orderOf(row)), row]));
}

function orderOf(row: { [column: string]: unknown } | LateOrder): OrderName {
  const { order_date, store_id, order_id } = row as Record<string, unknown>;
  return { orderDate: String(order_date), storeId: String(store_id), orderId: String(order_id) };
}

function compareOrders(before: ReadonlyMap<string, LakeRow>, now: ReadonlyMap<string, LakeRow>): LateOrder[] {
  const names = [...new Set([...before.keys(), ...now.keys()])];
  return names.flatMap((name) => {
    const [old, order] = [before.get(name), now.get(name)];
    if (old?.["hash"] === order?.["hash"] && countedCents(old) === countedCents(order)) return [];
    const { orderDate, storeId, orderId } = orderOf((order ?? old)!);
    return [
      {
        order_date: orderDate,
        store_id: storeId,
        order_id: orderId,
        why: whyOf(old, order),
        reported_revision: old === undefined ? null : Number(old["revision"]),
        revision: order === undefined ? null : Number(order["revision"]),
        arrived_at: order === undefined ? null : String(order["arrived_at"]),
        reported_cents: countedCents(old),
        cents: countedCents(order),
      },
    ];
  });
}

function whyOf(old: LakeRow | undefined, order: LakeRow | undefined): LateOrder["why"] {
  if (order === undefined) return "gone";
  if (old === undefined) return "late";
  if (old["revision"] === order["revision"]) return "refined anew";
  return order["status"] === "placed" ? "corrected" : (String(order["status"]) as LateOrder["why"]);
}

/** Only placed and amended orders are sales. */
function countedCents(order: LakeRow | undefined): number {
  return order !== undefined && ["placed", "amended"].includes(String(order["status"])) ? Number(order["cents"]) : 0;
}
