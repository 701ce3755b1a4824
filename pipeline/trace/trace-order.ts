import type { BronzeObject } from "../bronze/list-bronze.ts";
import type { Catalog } from "../domain/catalog.ts";
import { createFinder } from "../domain/redact-event.ts";
import { limits, type ReasonCode } from "../domain/rejection-reasons.ts";
import { isResent, eventPosition } from "../domain/stream-position.ts";
import { findCommit, type FoundCommit } from "../delta/log.ts";
import type { DeltaTable, Snapshot } from "../delta/table.ts";
import type { LakeQuery, LakeRow, ObjectStore, Warehouse } from "../ports.ts";
import { listQuarantined, type QuarantinedOrder } from "../quarantine/list-quarantined.ts";
import { readList, readOrders } from "../silver/orders-in-event.ts";
import { readOrderName } from "../silver/quarantine-table.ts";
import { isConsumed, keysSetAside } from "../silver/transactions.ts";
import { findEvents, type BronzeEvent } from "./find-events.ts";
import { findSilverOrders, type TracedSilverOrder } from "./silver-order.ts";
import { utcHour } from "../domain/dates.ts";

/** An order in every layer, from its stream records to gold. */
export interface OrderTrace {
  orderId: string;
  /** Store and business date `YYYY-MM-DD`; null for events that do not name them legibly. */
  storeId: string | null;
  orderDate: string | null;
  /** Sorted by arrival. */
  events: TracedEvent[];
  silver: TracedSilverOrder | null;
  /** The gold rows that the order counts in; none if it is not a sale. */
  gold: GoldRow[];
  /** The silver version that gold shows for the order's day, and its publish time; null before the first publish. */
  window: { silverVersion: number; publishedAt: string } | null;
}

/** One event of the order, and its outcome. */
export interface TracedEvent {
  shard: string;
  sequenceNumber: string;
  recordIndex: number;
  /** Arrival time in the stream, ISO 8601 in UTC. */
  arrivedAt: string;
  revision: number | null;
  status: string | null;
  outcome: "accepted" | "event duplicate" | "superseded" | "quarantined" | "pending" | "lost";
  /** If it was rejected: why, and whether it is resolved. */
  refused: { reason: ReasonCode; detail: string; isClosed: boolean } | null;
  /** Stream position of the quarantined event that it corrects: `shard/sequence number/index`. */
  corrects: string | null;
  /** Every bronze object that contains its record. */
  bronzeKeys: string[];
  /** The silver version that consumed its bronze object, and when; null if it is pending or older than the log. */
  silverVersion: number | null;
  committedAt: string | null;
}

/** A gold row. */
export interface GoldRow {
  table: string;
  key: string;
  /** Revenue of the row, or `monetary`. */
  revenue: string;
  silverVersion: number;
  publishedAt: string;
}

/** The stores, tables, engines and SQL that a trace reads. */
export interface TraceSources {
  store: ObjectStore;
  stream: string;
  silver: DeltaTable;
  quarantine: DeltaTable;
  lake: LakeQuery;
  warehouse: Warehouse;
  catalog: Catalog;
  sql: TraceSql;
}

/** Texts of SQL files: `sql/trace/`, and `sql/checks/rejected-events.sql`. */
export interface TraceSql {
  orderLines: string;
  goldRows: string;
  rejectedEvents: string;
}

/**
 * Finds every event with an order id, and groups them by order: several stores may use an id, and one store on several
 * days. Silver and quarantine are queried by the id; bronze is searched for other copies. No copy can arrive before the
 * order was placed, so bronze is read from the earliest hour on, or completely if silver does not have the id. Throws
 * if nothing is found and bronze could not be searched completely.
 */
export async function traceOrder(sources: TraceSources, orderId: string): Promise<OrderTrace[]> {
  const { silver, lake, sql, catalog } = sources;
  const snapshot = await silver.snapshot();
  const [found, rejected] = await Promise.all([
    findSilverOrders({ ...sources, sql: sql.orderLines }, { orderId, snapshot }),
    listQuarantined({ ...sources, lake, sql: sql.rejectedEvents }),
  ]);
  const mine = rejected.filter(
    (event) => event.orderId === orderId || readList(event.detail).some((seen) => seen.orderId === orderId),
  );
  const events = await bronzeEvents(sources, { orderId, snapshot, found, rejected: mine });
  const consumed = createConsumption(sources, snapshot);
  const nameOfEvent = ({ bytes }: BronzeEvent) => {
    const text = bytes.toString("utf8");
    return readOrders(text, catalog).find((seen) => seen.orderId === orderId) ?? readOrderName(text, catalog);
  };
  const keyOf = ({ storeId, orderDate }: Pick<OrderTrace, "storeId" | "orderDate">) => `${orderDate} ${storeId}`;
  const ofOrder = Map.groupBy(events, (event) => keyOf(nameOfEvent(event)));
  const names = [...found.map(({ order }) => order), ...events.map(nameOfEvent)];
  const traces = [];
  for (const [key, { storeId, orderDate }] of new Map(names.map((name) => [keyOf(name), name]))) {
    const here = found.find(({ order }) => keyOf(order) === key);
    const lookups = {
      order: here?.order,
      rejected: new Map(mine.map((event) => [eventPosition(event), event])),
      consumed,
    };
    const traced = [];
    for (const event of ofOrder.get(key) ?? []) traced.push(await traceEvent(event, lookups));
    traces.push({
      orderId,
      storeId,
      orderDate,
      events: traced.toSorted((a, b) => (a.arrivedAt < b.arrivedAt ? -1 : 1)),
      silver: here?.order ?? null,
      ...(await goldOf(sources, here?.rows ?? [])),
    });
  }
  return traces.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

async function bronzeEvents(
  sources: TraceSources,
  known: {
    orderId: string;
    snapshot: Snapshot;
    found: readonly { order: TracedSilverOrder }[];
    rejected: readonly QuarantinedOrder[];
  },
): Promise<BronzeEvent[]> {
  const { orderId, snapshot, found, rejected } = known;
  const keys = new Set(rejected.map(({ bronzeKey }) => bronzeKey));
  const since = found.map(({ order }) => earliestHour(order.orderedAt)).toSorted()[0] ?? "";
  const unread = new Set(keysSetAside(snapshot));
  const isWanted = ({ key, hour }: BronzeObject) =>
    !unread.has(key) && (keys.has(key) || hour >= since || !isConsumed(snapshot, { key, hour }));
  const all = await findEvents(sources, createFinder(orderId), { isWanted, onDamage: (key) => unread.add(key) });
  const positions = new Set(rejected.map(eventPosition));
  const events = all.filter((event) => positions.has(event.position) || read(event.bytes)["order_id"] === orderId);
  if (events.length > 0 || found.length > 0 || unread.size === 0) return events;
  throw new Error(
    `order ${orderId} was not found, but bronze objects that are set aside or damaged were not searched: ` +
      [...unread].join(", "),
  );
}

/** The earliest landing hour of an order's events: the hour it was placed, minus the allowed clock difference. */
function earliestHour(orderedAt: string): string {
  return utcHour(Date.parse(orderedAt) - limits.futureMicros / 1000);
}

/** Looks up whether, and in which commit, silver consumed a bronze object; cached, because events share objects. */
function createConsumption({ store, silver }: TraceSources, snapshot: Snapshot) {
  const known = new Map<string, Promise<FoundCommit | undefined>>();
  const findConsumption = async (key: string) => {
    const taken = snapshot.transactions.get(key);
    if (taken === undefined) return undefined;
    const holds = ({ txn }: { txn?: { appId: string } }) => txn?.appId === key;
    return await findCommit({ store, root: silver.root }, { notBefore: taken.lastUpdated, holds });
  };
  const hourOf = (key: string) => key.split("/")[2]!;
  return {
    isTaken: (key: string) => isConsumed(snapshot, { key, hour: hourOf(key) }),
    commitOf(key: string) {
      if (!known.has(key)) known.set(key, findConsumption(key));
      return known.get(key)!;
    },
  };
}

interface TraceLookups {
  order: TracedSilverOrder | undefined;
  rejected: ReadonlyMap<string, QuarantinedOrder>;
  consumed: ReturnType<typeof createConsumption>;
}

async function traceEvent(event: BronzeEvent, { order, rejected, consumed }: TraceLookups): Promise<TracedEvent> {
  const { position, record, recordIndex, bytes, bronzeKeys } = event;
  const quarantined = rejected.get(position);
  const { revision, status } = read(bytes);
  const taken = bronzeKeys.filter((key) => consumed.isTaken(key));
  const commits = await Promise.all(taken.map((key) => consumed.commitOf(key)));
  const [first] = commits.filter((commit) => commit !== undefined).toSorted((a, b) => a.version - b.version);
  return {
    shard: record.shard,
    sequenceNumber: record.sequenceNumber,
    recordIndex,
    arrivedAt: new Date(record.arrivedAt).toISOString(),
    revision: typeof revision === "number" ? revision : null,
    status: typeof status === "string" ? status : null,
    outcome: outcomeOf({ position, revision, isTaken: taken.length > 0, isRejected: quarantined !== undefined }, order),
    refused:
      quarantined === undefined
        ? null
        : { reason: quarantined.reason, detail: quarantined.detail, isClosed: quarantined.isClosed },
    corrects: isResent(record.partitionKey) ? record.partitionKey.slice("resent/".length) : null,
    bronzeKeys,
    silverVersion: first?.version ?? null,
    committedAt: first === undefined ? null : new Date(first.committedAt).toISOString(),
  };
}

/**
 * Determines an event's outcome. `lost` means that silver consumed a valid event but lacks it, as the receipt would
 * find.
 */
function outcomeOf(
  event: { position: string; revision: unknown; isTaken: boolean; isRejected: boolean },
  order: TracedSilverOrder | undefined,
): TracedEvent["outcome"] {
  if (event.isRejected) return "quarantined";
  if (!event.isTaken) return "pending";
  if (order?.place === event.position) return "accepted";
  const revision = Number(event.revision);
  if (order === undefined || revision > order.revision) return "lost";
  return revision < order.revision ? "superseded" : "event duplicate";
}

function read(bytes: Buffer): Record<string, unknown> {
  try {
    return Object(JSON.parse(bytes.toString("utf8"))) as Record<string, unknown>;
  } catch {
    return {};
  }
}

async function goldOf({ warehouse, sql }: TraceSources, rows: readonly LakeRow[]) {
  const [row] = rows;
  if (row === undefined) return { gold: [], window: null };
  const distinct = (name: string) => [...new Set(rows.map((line) => line[name]))];
  const document = {
    order_date: row["order_date"],
    hour: row["order_hour"],
    store_id: row["store_id"],
    channel: row["channel"],
    state: row["state"],
    city: row["city"],
    customer_key: row["customer_key"],
    pizza_ids: distinct("pizza_id"),
    pizza_type_ids: distinct("pizza_type_id"),
    categories: distinct("category"),
    sizes: distinct("size"),
  };
  const isSale = row["status"] === "placed" || row["status"] === "amended";
  const [gold, windows] = await Promise.all([
    isSale ? warehouse.query(sql.goldRows, [JSON.stringify(document)]) : [],
    warehouse.query(windowSql, [String(row["order_date"])]),
  ]);
  return { gold: gold.map(goldRow), window: windows.map(windowOf)[0] ?? null };
}

const windowSql = `select silver_version, to_char(published_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as published_at
  from ops.windows where order_date = $1::text::date`;

function goldRow(row: Record<string, unknown>): GoldRow {
  const text = (name: string) => String(row[name]);
  return { table: text("table_name"), key: text("key"), revenue: text("revenue"), ...windowOf(row) };
}

function windowOf(row: Record<string, unknown>) {
  return { silverVersion: Number(row["silver_version"]), publishedAt: String(row["published_at"]) };
}
