import { VersionNotKept, type DeltaTable, type Snapshot } from "../delta/table.ts";
import type { LakeQuery, LakeRow, ObjectStore, Warehouse } from "../ports.ts";
import { silverLakeTable, silverFilesThere, linesAtVersions, type DayAtVersion } from "../silver/tables.ts";

/** A value of gold that changed after it was reported; a row of gold.restated_values. */
export interface RestatedValue {
  table_name: string;
  key: Record<string, unknown>;
  column_name: string;
  first_reported: string | null;
  now_known: string | null;
  /** Decimal; null where the values are no numbers. */
  change: string | null;
  corrections: number;
  last_corrected_at: string;
  last_cause: string;
}

/** An order that its day did not show, or showed otherwise, when it was reported. */
export interface LateOrder {
  order_date: string;
  order_id: string;
  /** "corrected": a later revision that is placed as before, such as a refused event that was sent again. */
  why: "late" | "amended" | "corrected" | "cancelled" | "refunded" | "gone" | "refined anew";
  /** Revision as first reported; null where it was not there. */
  reported_revision: number | null;
  revision: number | null;
  /** When the stream took what is known now, ISO 8601. */
  arrived_at: string | null;
  /** What it counted for, US cents; 0 where it was or is no sale. */
  reported_cents: number;
  cents: number;
}

export interface Corrections {
  /** ISO 8601 */
  since: string;
  values: RestatedValue[];
  orders: LateOrder[];
  /** Restated days whose first report cannot be looked up any more: silver no longer keeps that version, or not its files. */
  daysWithoutOrders: string[];
}

interface Lake {
  store: ObjectStore;
  silver: DeltaTable;
  lake: LakeQuery;
}

/** What changed in gold since a moment though it had been reported, and the orders that did it. */
export async function listCorrections(
  { warehouse, ...place }: Lake & { warehouse: Warehouse },
  { since }: { since: string },
): Promise<Corrections> {
  const values = await warehouse.query<RestatedValue>(valuesSql, [since]);
  const days = await warehouse.query<Day>(daysSql, [since]);
  const readable = days.length === 0 ? [] : await readableDays(place, days);
  const orders: LateOrder[] = [];
  for (const ofVersion of Map.groupBy(readable, ({ reported_version }) => reported_version).values()) {
    orders.push(...(await ordersBehind(place, ofVersion)));
  }
  const known = new Set(readable.map(({ order_date }) => order_date));
  const daysWithoutOrders = days.map(({ order_date }) => order_date).filter((day) => !known.has(day));
  orders.sort((one, other) => (one.order_date + one.order_id < other.order_date + other.order_id ? -1 : 1));
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

/** Days that corrections since then are of, with the versions of silver that they showed and show. */
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

/** A day whose first report and present are both in the lake; a version below 0 is from before silver's first. */
interface ReadableDay {
  order_date: string;
  reported_version: number;
  version: number;
}

/** Forgetting a customer removes the files of earlier versions that named them, and time those of old versions. */
async function readableDays({ store, silver }: Lake, days: readonly Day[]): Promise<ReadableDay[]> {
  const there = await silverFilesThere(store, silver);
  const snapshots = new Map<number, Snapshot | undefined>();
  const isThere = async (date: string, version: number) => {
    if (version < 0) return true;
    if (!snapshots.has(version)) snapshots.set(version, await silver.snapshot(version).catch(ifKept));
    const snapshot = snapshots.get(version);
    return snapshot !== undefined && silverLakeTable(snapshot, [date]).files.every((file) => there.has(file));
  };
  const readable: ReadableDay[] = [];
  for (const { order_date, ...shown } of days) {
    if (shown.reported_version === null) continue;
    const [reported, version] = [Number(shown.reported_version), Number(shown.version)];
    if ((await isThere(order_date, reported)) && (await isThere(order_date, version))) {
      readable.push({ order_date, reported_version: reported, version });
    }
  }
  return readable;
}

function ifKept(error: unknown): undefined {
  if (!(error instanceof VersionNotKept)) throw error;
}

/** Days of one reported version. */
async function ordersBehind(place: Lake, days: readonly ReadableDay[]): Promise<LateOrder[]> {
  const then = days
    .filter(({ reported_version }) => reported_version >= 0)
    .map(({ order_date, reported_version }) => ({ order_date, version: reported_version }));
  return compareOrders(await readOrders(place, then), await readOrders(place, days));
}

const ordersSql = `
  select cast(order_date as varchar) as order_date, order_id, max(revision) as revision, max(status) as status,
    max(arrived_at) as arrived_at, cast(sum(revenue_cents) as bigint) as cents, cast(max(payload_hash) as varchar) as hash
  from silver_order_lines
  group by order_date, order_id`;

async function readOrders({ silver, lake }: Lake, days: readonly DayAtVersion[]) {
  const table = await linesAtVersions(silver, days);
  const rows = await lake.query(ordersSql, [], [table]);
  return new Map(rows.map((row) => [`${row["order_date"]} ${row["order_id"]}`, row]));
}

function compareOrders(before: ReadonlyMap<string, LakeRow>, now: ReadonlyMap<string, LakeRow>): LateOrder[] {
  const names = [...new Set([...before.keys(), ...now.keys()])];
  return names.flatMap((name) => {
    const [old, order] = [before.get(name), now.get(name)];
    if (old?.["hash"] === order?.["hash"] && countedCents(old) === countedCents(order)) return [];
    return [
      {
        order_date: name.slice(0, 10),
        order_id: name.slice(11),
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
