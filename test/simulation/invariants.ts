import { decodeBronze } from "../../pipeline/bronze/bronze-object.ts";
import { listBronze } from "../../pipeline/bronze/list-bronze.ts";
import { decodeFailedBatch } from "../../pipeline/bronze/on-failure-objects.ts";
import { createProducerLedger } from "../../pipeline/domain/sequence-gaps.ts";
import type { ReasonCode } from "../../pipeline/domain/rejection-reasons.ts";
import type { DeltaTable } from "../../pipeline/delta/table.ts";
import { readColumns } from "../../pipeline/parquet/read-columns.ts";
import type { ObjectStore, StreamRecord } from "../../pipeline/ports.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { unpackRecord } from "../../pipeline/silver/unpack-record.ts";
import { catalog } from "../support/order-fixture.ts";
import type { Objects } from "./bucket.ts";
import type { SentEvent, SentOrder } from "./events.ts";
import type { SilverRow } from "./silver-rows.ts";
import type { SentRecord } from "./stream.ts";

/** A rejected event in the quarantine. */
export interface Rejected {
  position: string;
  reason: ReasonCode;
}

const positionOf = ({ shard, sequenceNumber }: { shard: string; sequenceNumber: string }) =>
  `${shard}/${sequenceNumber}`;

/** Invariant 1: records that the mapping has passed are in bronze or in the on-failure store. */
export async function checkPassed(
  passed: readonly SentRecord[],
  store: ObjectStore,
  onFailure: Objects,
): Promise<string[]> {
  const kept = new Set((await bronzeRecords(store)).map(positionOf));
  for (const body of onFailure.values()) for (const record of decodeFailedBatch(body)) kept.add(positionOf(record));
  return passed
    .map(positionOf)
    .filter((position) => !kept.has(position))
    .map((position) => `1: ${position} was passed and is lost`);
}

/** Invariants 1 and 2 at the end: bronze has every record of the stream, byte for byte, and nothing else. */
export async function checkBronze(sent: readonly SentRecord[], store: ObjectStore): Promise<string[]> {
  const landed = await bronzeRecords(store);
  const counted = (await listBronze(store, orderStream)).reduce((sum, { count }) => sum + count, 0);
  const bytesOf = new Map(sent.map((record) => [positionOf(record), record.data]));
  const distinct = new Set(landed.map(positionOf));
  return [
    ...[...bytesOf.keys()]
      .filter((position) => !distinct.has(position))
      .map((position) => `1: ${position} is not in bronze`),
    ...landed
      .filter((record) => Buffer.compare(record.data, bytesOf.get(positionOf(record)) ?? nothing) !== 0)
      .map((record) => `2: ${positionOf(record)} has other bytes in bronze than in the stream`),
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
export async function readQuarantine(quarantine: DeltaTable, objects: Objects): Promise<Rejected[]> {
  const { files } = await quarantine.snapshot();
  const rejected: Rejected[] = [];
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
  rejected: readonly Rejected[],
): string[] {
  const events = new Map(
    sent.flatMap((record) => record.events.map((event, index) => [`${positionOf(record)}/${index}`, event] as const)),
  );
  return [...checkDistinct(rows), ...checkOrders(events, rows), ...checkOutcomes(events, rows, rejected)];
}

/** The identity of an order: an id can recur in another store or on another day. */
function nameOf({ orderedAt, storeId, orderId }: SentOrder): string {
  return `${wallClock(orderedAt, storeId).slice(0, 10)} ${storeId} ${orderId}`;
}

const rowName = ({ date, storeId, orderId }: SilverRow) => `${date} ${storeId} ${orderId}`;

/** `YYYY-MM-DD HH:MM:SS` in store-local time, computed without the product's code. */
function wallClock(moment: string, storeId: string): string {
  const timeZone = catalog.stores.get(storeId)![0]!.time_zone;
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
    formats.set(timeZone, format);
  }
  return format.format(Date.parse(moment));
}

const formats = new Map<string, Intl.DateTimeFormat>();

function checkDistinct(rows: readonly SilverRow[]): string[] {
  const lines = Map.groupBy(rows, (row) => `${rowName(row)} line ${row.lineNo}`);
  const orders = Map.groupBy(rows, rowName);
  const one = (values: readonly unknown[]) => new Set(values).size === 1;
  return [
    ...[...lines].filter(([, same]) => same.length > 1).map(([line]) => `4: ${line} stands twice`),
    ...[...orders]
      .filter(([, same]) => !one(same.map(({ position }) => position)))
      .map(([order]) => `4: ${order} comes from two events`),
  ];
}

/** A valid event. */
type ValidEvent = SentEvent & { order: SentOrder };

const isValid = (event: SentEvent): event is ValidEvent => event.order !== undefined;

/** The event that an order must show: earliest time, highest revision, sent first, lowest till number, lowest hash. */
function winnerOf(events: readonly ValidEvent[]): ValidEvent {
  const rank = ({ order, producer }: ValidEvent) => {
    return [Date.parse(order.orderedAt), -order.revision, Date.parse(order.emittedAt), producer!.seq];
  };
  return events.toSorted((a, b) => {
    const [one, other] = [rank(a), rank(b)];
    const at = one.findIndex((value, index) => value !== other[index]);
    return at === -1 ? 0 : one[at]! < other[at]! ? -1 : 1;
  })[0]!;
}

/** Checks each order's rows against the event that the order must show. */
function checkOrders(events: ReadonlyMap<string, SentEvent>, rows: readonly SilverRow[]): string[] {
  const wanted = Map.groupBy([...events.values()].filter(isValid), ({ order }) => nameOf(order));
  const held = Map.groupBy(rows, rowName);
  const unsent = [...held.keys()].filter((name) => !wanted.has(name));
  return [
    ...unsent.map((name) => `3: ${name} is in silver and was never sent`),
    ...[...wanted].flatMap(([name, all]) => {
      const mine = held.get(name);
      if (mine === undefined) return [`3: ${name} is not in silver`];
      const winner = winnerOf(all);
      const source = events.get(mine[0]!.position);
      if (source === undefined || !source.bytes.equals(winner.bytes)) {
        return [`3: ${name} shows revision ${source?.order?.revision}, not ${winner.order.revision}: another event`];
      }
      return isSameOrder(mine, winner.order) ? [] : [`3: ${name} has other lines than its event`];
    }),
  ];
}

function isSameOrder(rows: readonly SilverRow[], order: SentOrder): boolean {
  const [date, time] = wallClock(order.orderedAt, order.storeId).split(" ");
  const head = [order.revision, order.status, order.storeId, order.channel, date, Number(time!.slice(0, 2))];
  const cells = rows.map((row) =>
    [
      row.revision,
      row.status,
      row.storeId,
      row.channel,
      row.date,
      row.hour,
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
function checkOutcomes(
  events: ReadonlyMap<string, SentEvent>,
  rows: readonly SilverRow[],
  rejected: readonly Rejected[],
): string[] {
  const accepted = new Map(rows.map((row) => [rowName(row), row.position]));
  const quarantined = Map.groupBy(rejected, ({ position }) => position);
  const violations: string[] = [];
  for (const position of quarantined.keys())
    if (!events.has(position)) violations.push(`3: ${position} was rejected and never sent`);
  for (const [position, event] of events) {
    const [rejection, ...more] = quarantined.get(position) ?? [];
    const shown = isValid(event) ? accepted.get(nameOf(event.order)) : undefined;
    if (more.length > 0) violations.push(`3: ${position} stands in quarantine ${more.length + 1} times`);
    const wrong = misplaced({ position, event, rejection }, shown, { events, quarantined });
    if (wrong !== undefined) violations.push(`3: ${position} ${wrong}`);
  }
  return violations;
}

function misplaced(
  { position, event, rejection }: { position: string; event: SentEvent; rejection: Rejected | undefined },
  shown: string | undefined,
  { events, quarantined }: { events: ReadonlyMap<string, SentEvent>; quarantined: ReadonlyMap<string, unknown> },
): string | undefined {
  const { reason } = event;
  if (!isValid(event))
    return rejection?.reason === reason ? undefined : `is ${reason} and quarantined as ${rejection?.reason}`;
  const name = nameOf(event.order);
  const ofOrder = [...events].filter((entry): entry is [string, ValidEvent] => {
    return isValid(entry[1]) && nameOf(entry[1].order) === name;
  });
  const winner = events.get(shown ?? "");
  if (rejection !== undefined) {
    if (shown === position || winner?.bytes.equals(event.bytes)) return "is accepted and rejected";
    const others = ofOrder.map(([, other]) => other);
    return isConflict(rejection.reason, event, others) ? undefined : `is valid and quarantined as ${rejection.reason}`;
  }
  // It was replaced by an event that silver once showed, or is a copy of one, in silver or now in quarantine.
  const shownOnce = ofOrder.filter(([at]) => at === shown || quarantined.has(at)).map(([, other]) => other);
  return shownOnce.some((other) => isSupersededBy(event, other)) ? undefined : "is neither accepted nor rejected";
}

function isSupersededBy({ bytes, order }: ValidEvent, other: ValidEvent): boolean {
  const isSameTime = Date.parse(order.orderedAt) === Date.parse(other.order.orderedAt);
  return bytes.equals(other.bytes) || (isSameTime && order.revision < other.order.revision);
}

function isConflict(reason: ReasonCode, { order, bytes }: ValidEvent, others: readonly ValidEvent[]): boolean {
  return others.some((other) => {
    const isOtherTime = Date.parse(other.order.orderedAt) !== Date.parse(order.orderedAt);
    if (reason === "ordered_at_changed") return isOtherTime;
    const isOther = other.order.revision === order.revision && !other.bytes.equals(bytes);
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
    for (const producer of unpackRecord(data).map(({ bytes }) => producerOf(bytes))) {
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

function producerOf(bytes: Buffer): SentEvent["producer"] {
  try {
    return (JSON.parse(bytes.toString()) as Partial<SentEvent>).producer;
  } catch {
    return undefined;
  }
}

/** `4` or `14-19`. */
function numbersOf(range: string): number[] {
  const [from, to = from] = range.split("-").map(Number) as [number, number?];
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
