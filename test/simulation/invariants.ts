import { decodeBronze } from "../../pipeline/bronze/bronze-object.ts";
import { listBronze } from "../../pipeline/bronze/list-bronze.ts";
import { decodeFailedBatch } from "../../pipeline/bronze/on-failure-objects.ts";
import { createProducerLedger } from "../../pipeline/domain/sequence-gaps.ts";
import type { ReasonCode } from "../../pipeline/domain/rejection-reasons.ts";
import type { DeltaTable } from "../../pipeline/delta/table.ts";
import { readColumns } from "../../pipeline/parquet/read-columns.ts";
import type { ObjectStore, StreamRecord } from "../../pipeline/ports.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { unpackRecord, type UnpackedEvent } from "../../pipeline/silver/unpack-record.ts";
import type { Objects } from "./bucket.ts";
import type { SentEvent, SentOrder } from "./events.ts";
import type { SilverRow } from "./silver-rows.ts";
import type { SentRecord } from "./stream.ts";

/** A rejected event in the quarantine. */
export interface Refused {
  position: string;
  reason: ReasonCode;
}

const placeOf = ({ shard, sequenceNumber }: { shard: string; sequenceNumber: string }) => `${shard}/${sequenceNumber}`;

/** Invariant 1: records that the mapping has passed are in bronze or in the on-failure store. */
export async function checkPassed(
  passed: readonly SentRecord[],
  store: ObjectStore,
  onFailure: Objects,
): Promise<string[]> {
  const kept = new Set((await bronzeRecords(store)).map(placeOf));
  for (const body of onFailure.values()) for (const record of decodeFailedBatch(body)) kept.add(placeOf(record));
  return passed
    .map(placeOf)
    .filter((place) => !kept.has(place))
    .map((place) => `1: ${place} was passed and is lost`);
}

/** Invariants 1 and 2 at the end: bronze has every record of the stream, byte for byte, and nothing else. */
export async function checkBronze(sent: readonly SentRecord[], store: ObjectStore): Promise<string[]> {
  const landed = await bronzeRecords(store);
  const counted = (await listBronze(store, orderStream)).reduce((sum, { count }) => sum + count, 0);
  const bytesOf = new Map(sent.map((record) => [placeOf(record), record.data]));
  const distinct = new Set(landed.map(placeOf));
  return [
    ...[...bytesOf.keys()].filter((place) => !distinct.has(place)).map((place) => `1: ${place} is not in bronze`),
    ...landed
      .filter((record) => Buffer.compare(record.data, bytesOf.get(placeOf(record)) ?? nothing) !== 0)
      .map((record) => `2: ${placeOf(record)} has other bytes in bronze than in the stream`),
    ...(counted === landed.length ? [] : [`2: bronze holds ${landed.length} rows, its keys say ${counted}`]),
  ];
}

const nothing = Buffer.alloc(0);

/** A cache of decoded objects, which never change. */
const decoded = new WeakMap<Uint8Array, Promise<StreamRecord[]>>();

async function bronzeRecords(store: ObjectStore): Promise<StreamRecord[]> {
  const objects = await listBronze(store, orderStream);
  const records = await Promise.all(
    objects.map(async ({ key }) => {
      const body = (await store.get(key))!;
      if (!decoded.has(body)) decoded.set(body, decodeBronze(body));
      return await decoded.get(body)!;
    }),
  );
  return records.flat();
}

/** The rows of the quarantine table. */
export async function readQuarantine(quarantine: DeltaTable, objects: Objects): Promise<Refused[]> {
  const { files } = await quarantine.snapshot();
  const rejected: Refused[] = [];
  for (const path of files.keys()) {
    const columns = await readColumns(objects.get(`${quarantine.root}/${path}`)!, quarantineNames);
    const [shards, numbers, indexes, reasons] = quarantineNames.map((name) => columns[name]!);
    for (const [row, shard] of shards!.entries()) {
      const position = [shard, numbers![row], indexes![row]].join("/");
      rejected.push({ position, reason: reasons![row] as ReasonCode });
    }
  }
  return rejected;
}

const quarantineNames = ["shard", "sequence_number", "record_index", "reason"];

/** Invariants 3 and 4: every event has exactly one outcome, and silver contains the latest revisions. */
export function checkSilver(
  sent: readonly SentRecord[],
  rows: readonly SilverRow[],
  rejected: readonly Refused[],
): string[] {
  const events = new Map(
    sent.flatMap((record) => record.events.map((event, index) => [`${placeOf(record)}/${index}`, event] as const)),
  );
  return [...checkDistinct(rows), ...checkOrders(events, rows), ...checkPlaces(events, rows, rejected)];
}

function checkDistinct(rows: readonly SilverRow[]): string[] {
  const lines = Map.groupBy(rows, ({ orderId, lineNo }) => `${orderId} line ${lineNo}`);
  const orders = Map.groupBy(rows, ({ orderId }) => orderId);
  const one = (values: readonly unknown[]) => new Set(values).size === 1;
  return [
    ...[...lines].filter(([, same]) => same.length > 1).map(([line]) => `4: ${line} stands twice`),
    ...[...orders]
      .filter(([, same]) => !one(same.map(({ date, position }) => `${date} ${position}`)))
      .map(([order]) => `4: ${order} lies in two days, or comes from two events`),
  ];
}

/** Checks each order's rows against the event that they name, which must be the newest valid revision. */
function checkOrders(events: ReadonlyMap<string, SentEvent>, rows: readonly SilverRow[]): string[] {
  const wanted = Map.groupBy(
    [...events.values()].flatMap(({ order }) => (order ? [order] : [])),
    ({ orderId }) => orderId,
  );
  const held = Map.groupBy(rows, ({ orderId }) => orderId);
  const strangers = [...held.keys()].filter((orderId) => !wanted.has(orderId));
  return [
    ...strangers.map((orderId) => `3: ${orderId} is in silver and was never sent`),
    ...[...wanted].flatMap(([orderId, revisions]) => {
      const mine = held.get(orderId);
      if (mine === undefined) return [`3: ${orderId} is not in silver`];
      const source = events.get(mine[0]!.position)?.order;
      if (source?.orderId !== orderId) return [`3: ${orderId} comes from ${mine[0]!.position}, which does not hold it`];
      const newest = Math.max(
        ...revisions.filter((order) => order.orderedAt === source.orderedAt).map(({ revision }) => revision),
      );
      return [
        ...(source.revision === newest ? [] : [`3: ${orderId} shows revision ${source.revision} of ${newest}`]),
        ...(isSameOrder(mine, source) ? [] : [`3: ${orderId} has other lines than its event`]),
      ];
    }),
  ];
}

function isSameOrder(rows: readonly SilverRow[], order: SentOrder): boolean {
  const head = [order.revision, order.status, order.storeId, order.channel, order.orderedAt.slice(0, 10)];
  const cells = rows.map((row) =>
    [
      row.revision,
      row.status,
      row.storeId,
      row.channel,
      row.date,
      row.lineNo,
      row.pizzaId,
      row.quantity,
      row.revenue,
    ].join(" "),
  );
  const expected = order.lines.map(({ line_no, pizza_id, quantity, unit_price }) =>
    [...head, line_no, pizza_id, quantity, Math.round(quantity * unit_price * 100)].join(" "),
  );
  return cells.toSorted().join(";") === expected.toSorted().join(";");
}

/** Checks that each event is accepted, a duplicate, superseded or rejected: exactly one of them, for a valid reason. */
function checkPlaces(
  events: ReadonlyMap<string, SentEvent>,
  rows: readonly SilverRow[],
  rejected: readonly Refused[],
): string[] {
  const accepted = new Map(rows.map(({ orderId, position }) => [orderId, position]));
  const quarantined = Map.groupBy(rejected, ({ position }) => position);
  const violations: string[] = [];
  for (const position of quarantined.keys())
    if (!events.has(position)) violations.push(`3: ${position} was refused and never sent`);
  for (const [position, event] of events) {
    const [filing, ...more] = quarantined.get(position) ?? [];
    const shown = accepted.get(event.order?.orderId ?? "");
    if (more.length > 0) violations.push(`3: ${position} stands in quarantine ${more.length + 1} times`);
    const wrong = misplaced({ position, event, filing }, shown, events);
    if (wrong !== undefined) violations.push(`3: ${position} ${wrong}`);
  }
  return violations;
}

function misplaced(
  { position, event, filing }: { position: string; event: SentEvent; filing: Refused | undefined },
  shown: string | undefined,
  events: ReadonlyMap<string, SentEvent>,
): string | undefined {
  const { order, reason } = event;
  if (order === undefined) return filing?.reason === reason ? undefined : `is ${reason} and filed as ${filing?.reason}`;
  const others = [...events.values()].filter((other) => other.order?.orderId === order.orderId);
  if (filing !== undefined) {
    if (shown === position) return "is accepted and refused";
    return isConflict(filing.reason, event, others) ? undefined : `is valid and filed as ${filing.reason}`;
  }
  const winner = events.get(shown ?? "");
  if (winner?.order === undefined || winner === event || shown === position) return undefined;
  if (order.orderedAt !== winner.order.orderedAt) return "moves its order in time and is not refused";
  if (order.revision < winner.order.revision) return undefined;
  return event.bytes.equals(winner.bytes) ? undefined : "differs from what was accepted and is not refused";
}

function isConflict(reason: ReasonCode, { order, bytes }: SentEvent, others: readonly SentEvent[]): boolean {
  return others.some((other) => {
    if (reason === "ordered_at_changed") return other.order!.orderedAt !== order!.orderedAt;
    const isOther = other.order!.revision === order!.revision && !other.bytes.equals(bytes);
    return reason === "conflicting_payload" && isOther;
  });
}

/**
 * Invariant 5: the numbers that the product reports as missing, among the landed events, are exactly those that were
 * never sent.
 */
export async function checkNumbers(
  neverSent: ReadonlyMap<string, readonly number[]>,
  store: ObjectStore,
): Promise<string[]> {
  const ledger = createProducerLedger();
  for (const { data } of await bronzeRecords(store)) {
    for (const producer of unpackRecord(data).map(producerOf)) {
      if (producer !== undefined) ledger.note(producer.producer_id, producer.seq);
    }
  }
  const found = ledger.gaps().map(({ producerId, missing, ranges }) => {
    const numbers = ranges.flatMap(numbersOf);
    return `${producerId} lacks ${missing}: ${numbers.join(", ")}`;
  });
  const expected = [...neverSent].map(([till, numbers]) => `${till} lacks ${numbers.length}: ${numbers.join(", ")}`);
  return [
    ...found.filter((gap) => !expected.includes(gap)).map((gap) => `5: ${gap}, it is said, and that is not so`),
    ...expected.filter((gap) => !found.includes(gap)).map((gap) => `5: ${gap}, and that is not said`),
  ];
}

function producerOf(event: UnpackedEvent): SentEvent["producer"] {
  if (!("text" in event)) return undefined;
  try {
    return (JSON.parse(event.text) as Partial<SentEvent>).producer;
  } catch {
    return undefined;
  }
}

/** `4` or `14-19`. */
function numbersOf(range: string): number[] {
  const [from, to = from] = range.split("-").map(Number) as [number, number?];
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
