import { isDeepStrictEqual } from "node:util";
import type { CheckedOrder } from "../domain/check-order.ts";
import { type Catalog, validOn } from "../domain/catalog.ts";
import type { OrderEvent } from "../domain/generated/order-event.types.ts";
import type { ProducerLedger } from "../domain/sequence-gaps.ts";
import { dayMs } from "../domain/dates.ts";
import { nameOf, type ConflictReason } from "../domain/merge-orders.ts";
import { OrderMap, showOrder, type OrderName } from "../domain/order-map.ts";
import type { ReasonCode } from "../domain/rejection-reasons.ts";
import type { Findings, Receipt, Sales } from "../domain/receipt.ts";
import { isResent, recordPosition, resentKey } from "../domain/stream-position.ts";
import { readOrderName } from "../silver/quarantine-table.ts";
import { checkEvent } from "../silver/read-events.ts";
import { readOrders, type SeenOrder } from "../silver/orders-in-event.ts";
import { payloadHash, unpackRecord } from "../silver/unpack-record.ts";
import type { LandedRecord } from "./reconcile-records.ts";
import { digestBytes, type Layers, type SilverOrder } from "./read-layers.ts";
import { noteProducers, readProducers, type SeenProducer } from "./read-producer.ts";
import { createLineMaker, digestLines, type LineCells } from "./silver-lines.ts";

/** An order whose rows in silver differ from those that its event produces. */
export interface WrongOrder {
  order: OrderName;
  position: string;
  expected: LineCells[];
}

/** Reasons that depend on the order's other events; all others follow from the event alone. */
const conflicts: ReadonlySet<ReasonCode> = new Set<ConflictReason>(["conflicting_payload", "ordered_at_changed"]);

const firstEventWaitMicros = 3 * dayMs * 1000;

/** Reasons that no longer apply once the menu, the list of stores or the contract has changed. */
const configurationReasons: ReadonlySet<ReasonCode> = new Set([
  "unknown_pizza",
  "unknown_store",
  "price_off_menu",
  "unsupported_schema_version",
]);

/**
 * Checks the events of raw records again, from their bytes alone, and determines where each one went. Every event must
 * be in exactly one place: accepted in silver, a duplicate or superseded revision of an accepted one, or quarantined.
 */
export function createEventReconciliation(
  {
    catalog,
    customerKey,
    layers,
    ledger,
  }: {
    catalog: Catalog;
    customerKey: (customerId: string) => string;
    layers: Layers;
    ledger: ProducerLedger;
  },
  findings: Findings,
  notes: Findings,
) {
  const events: Receipt["events"] = {
    distinct: 0,
    accepted: 0,
    eventDuplicates: 0,
    supersededRevisions: 0,
    quarantined: {},
    closed: 0,
    pending: 0,
  };
  const expected: Sales = { orders: 0, lines: 0, pizzas: 0, cents: 0 };
  /** Stream positions of accepted events. */
  const accepted = new Set<string>();
  /** Quarantined conflicts, and other events that differ from silver: copies or earlier revisions of the former. */
  const contradicting = new OrderMap<OrderVersion[]>();
  const differing: { order: OrderName; version: OrderVersion; example: string }[] = [];
  const quarantined = new Set<string>();
  /** Quarantined events that hold several orders, by stream position. */
  const severalOrders = new Map<string, { orders: readonly SeenOrder[]; arrivedAt: number }>();
  /** The partition keys of accepted resent events, which name the quarantined events that they resolve. */
  const corrected = new Set<string>();
  /** Orders that silver shows in a later revision, and whose first event came, valid or not. */
  const begun = new OrderMap<true>();
  const wrong: WrongOrder[] = [];
  const linesOf = createLineMaker({ catalog, customerKey });
  let notSales = 0;

  function note(record: LandedRecord): void {
    const producers: SeenProducer[] = [];
    for (const { index, bytes, rejection } of unpackRecord(record.data)) {
      const position = `${recordPosition(record)}/${index}`;
      events.distinct++;
      if (!record.isConsumed) events.pending++;
      const checked = rejection === undefined ? checkEvent(bytes, record.arrivedAt * 1000, catalog) : { rejection };
      if ("event" in checked) producers.push(checked.event.producer);
      else for (const producer of readProducers(bytes)) producers.push(producer);
      if (!record.isConsumed) continue;
      compareQuarantined(position, bytes, record.arrivedAt);
      if ("rejection" in checked) noteRejected(position, checked.rejection.reason);
      else noteValid({ position, record, index, hash: payloadHash(bytes) }, checked);
    }
    noteProducers(ledger, producers, record.partitionKey);
  }

  /**
   * Checks that a quarantined event has its original bytes, and what can resolve it: order, revision, till, arrival.
   */
  function compareQuarantined(position: string, bytes: Buffer, arrivedAt: number): void {
    const stored = layers.quarantined.get(position);
    if (stored === undefined) return;
    const { storeId, orderDate, orderId, revision } = stored.name;
    if (revision === 0 && storeId !== null && orderDate !== null && orderId !== null) {
      begun.set({ storeId, orderDate, orderId }, true);
    }
    const orders = readOrders(bytes.toString("utf8"), catalog);
    if (orders.length > 0) severalOrders.set(position, { orders, arrivedAt: arrivedAt * 1000 });
    if (stored.digest !== digestBytes(bytes)) {
      findings.add("quarantine = bronze", "events in quarantine have different bytes than in bronze", position);
    } else if (stored.arrivedAt !== arrivedAt * 1000 || !isDeepStrictEqual(stored.name, nameIn(bytes))) {
      findings.add(
        "quarantine = bronze",
        "events in quarantine have a different order, revision, till or arrival time than in bronze",
        position,
      );
    }
  }

  const nameIn = (bytes: Buffer) => readOrderName(bytes.toString("utf8"), catalog);

  function noteRejected(position: string, reason: ReasonCode): void {
    const stored = layers.quarantined.get(position)?.reason;
    if (stored === undefined) {
      findings.add("every event has one place", `rejected events (${reason}) are not in quarantine`, position);
    } else if (stored !== reason) {
      findings.add(
        "every event has one place",
        `events are in quarantine as ${stored} but should be ${reason}`,
        position,
      );
    }
    countQuarantined(position, reason);
  }

  function countQuarantined(position: string, reason: ReasonCode): void {
    quarantined.add(position);
    events.quarantined[reason] = (events.quarantined[reason] ?? 0) + 1;
  }

  function noteValid(source: EventSource, checked: CheckedOrder): void {
    const { event } = checked;
    const { position } = source;
    const stored = layers.quarantined.get(position)?.reason;
    const name = nameOf(checked);
    const order = layers.silver.get(name);
    if (event.revision === 0 && order !== undefined && order.revision > 0) begun.set(name, true);
    const example = `${showOrder(name)} revision ${event.revision} at ${position}`;
    const invariant = "every event has one place";
    if (stored !== undefined && configurationReasons.has(stored) && order?.position !== position) {
      return noteLateValid(position, stored, checked);
    }
    if (order === undefined) findings.add(invariant, "valid events are missing from silver", example);
    else if (order.position === position && stored !== undefined) {
      findings.add(invariant, `accepted events are in quarantine as ${stored}`, example);
    }
    const version = { orderedAt: checked.orderedAt, revision: event.revision, payloadHash: source.hash };
    if (order !== undefined && isNewer(version, order)) {
      findings.add(invariant, "newer revisions are missing from silver", example);
    } else if (order !== undefined && isBefore({ ...version, ...sentAs(checked) }, order)) {
      findings.add(invariant, "orders in silver show another event than the first one", example);
    }
    if (stored !== undefined && conflicts.has(stored)) {
      contradicting.set(name, [...(contradicting.get(name) ?? []), version]);
      return countQuarantined(position, stored);
    }
    if (stored !== undefined) findings.add(invariant, `valid events are in quarantine as ${stored}`, example);
    if (order === undefined) return;
    if (isResent(source.record.partitionKey)) corrected.add(source.record.partitionKey);
    if (order.position === position) noteAccepted(source, checked, order.digest);
    else if (version.orderedAt !== order.orderedAt) differing.push({ order: name, version, example });
    else if (event.revision < order.revision) events.supersededRevisions++;
    else if (event.revision > order.revision) return;
    else if (order.payloadHash === source.hash) events.eventDuplicates++;
    else differing.push({ order: name, version, example });
  }

  /**
   * The menu, stores or contract have changed since the rejection, so resending the order would bring it into silver.
   */
  function noteLateValid(position: string, stored: ReasonCode, checked: CheckedOrder): void {
    countQuarantined(position, stored);
    const name = nameOf(checked);
    const { revision } = checked.event;
    if (revision <= (layers.silver.get(name)?.revision ?? -1)) return;
    findings.add(
      "every event has one place",
      `events in quarantine as ${stored} are valid now: resend them`,
      `${showOrder(name)} revision ${revision} at ${position}`,
    );
  }

  function noteAccepted({ position, record, index, hash }: EventSource, checked: CheckedOrder, digest: string): void {
    const { event, orderDate } = checked;
    const { shard, sequenceNumber } = record;
    events.accepted++;
    accepted.add(position);
    const lines = linesOf({
      ...checked,
      position: { shard, sequenceNumber, recordIndex: index },
      arrivedAt: record.arrivedAt * 1000,
      payloadHash: hash,
    });
    if (digestLines(lines) !== digest) wrong.push({ order: nameOf(checked), position, expected: lines });
    const isSale = event.status === "placed" || event.status === "amended";
    const sales = salesOf(event, orderDate, catalog);
    if (!isSale) notSales++;
    else for (const key of ["orders", "lines", "pizzas", "cents"] as const) expected[key] += sales[key];
  }

  function finish() {
    for (const position of quarantined) {
      if (isResolved(position)) events.closed++;
    }
    noteNotBegun();
    for (const [order, { position }] of layers.silver) {
      if (!accepted.has(position)) {
        findings.add(
          "silver = bronze",
          "orders in silver have no event in bronze",
          `${showOrder(order)} from ${position}`,
        );
      }
    }
    for (const { order, version, example } of differing)
      countDiffering(contradicting.get(order) ?? [], version, example);
    for (const [position, { reason }] of layers.quarantined) {
      if (!quarantined.has(position)) {
        findings.add(
          "quarantine = bronze",
          "quarantined events have no rejected event in bronze",
          `${position} ${reason}`,
        );
      }
    }
    return { events, expected, notSales, wrong };
  }

  /** Reports the orders whose first event has not come in three days of later events. */
  function noteNotBegun(): void {
    let newest = 0;
    for (const [, { arrivedAt }] of layers.silver) newest = Math.max(newest, arrivedAt);
    for (const [order, { revision, arrivedAt }] of layers.silver) {
      if (revision === 0 || begun.has(order) || arrivedAt > newest - firstEventWaitMicros) continue;
      notes.add(
        "every order has a first event",
        "orders are known from a later revision only: their first event has not come in three days",
        `${showOrder(order)} revision ${revision}`,
      );
    }
  }

  /** As in the list of quarantined events: several orders must all be in silver from later events. */
  function isResolved(position: string): boolean {
    const several = severalOrders.get(position);
    if (several === undefined) return layers.cameLater.has(position) || corrected.has(resentKey(position));
    return several.orders.every(({ orderDate, storeId, orderId }) => {
      if (orderDate === null || storeId === null) return false;
      return (layers.silver.get({ orderDate, storeId, orderId })?.arrivedAt ?? 0) > several.arrivedAt;
    });
  }

  /** An event that silver does not show is a copy, or an earlier revision, of an event in quarantine. */
  function countDiffering(quarantinedVersions: readonly OrderVersion[], version: OrderVersion, example: string): void {
    const alike = quarantinedVersions.filter(({ orderedAt }) => orderedAt === version.orderedAt);
    if (alike.some(({ payloadHash: other }) => other === version.payloadHash)) events.eventDuplicates++;
    else if (alike.some(({ revision }) => revision > version.revision)) events.supersededRevisions++;
    else {
      findings.add(
        "every event has one place",
        "events differ from what silver accepted and are not in quarantine",
        example,
      );
    }
  }

  return { note, finish };
}

/** What decides whether two events of an order contradict each other. */
interface OrderVersion {
  orderedAt: number;
  revision: number;
  payloadHash: bigint;
}

function isNewer(event: OrderVersion, silver: OrderVersion): boolean {
  return event.orderedAt === silver.orderedAt && event.revision > silver.revision;
}

/**
 * Whether an event should be shown instead of the one in silver: it has an earlier `ordered_at`, or it is another event
 * of the same revision that the till sent earlier. Two with one time and one number of the till are not compared here:
 * the first in the stream is kept.
 */
function isBefore(event: OrderVersion & SentAs, silver: OrderVersion & SentAs): boolean {
  if (event.orderedAt !== silver.orderedAt) return event.orderedAt < silver.orderedAt;
  if (event.revision !== silver.revision || event.payloadHash === silver.payloadHash) return false;
  if (event.emittedAt !== silver.emittedAt) return event.emittedAt < silver.emittedAt;
  return event.producerSeq < silver.producerSeq;
}

type SentAs = Pick<SilverOrder, "emittedAt" | "producerSeq">;

function sentAs({ event, emittedAt }: CheckedOrder): SentAs {
  return { emittedAt, producerSeq: event.producer.seq };
}

/** The record and index that an event was read from, and the first 64 bits of its hash. */
interface EventSource {
  position: string;
  record: LandedRecord;
  index: number;
  hash: bigint;
}

function salesOf({ lines }: OrderEvent, orderDate: string, catalog: Catalog): Sales {
  const sales = { orders: 1, lines: lines.length, pizzas: 0, cents: 0 };
  for (const { pizza_id, quantity } of lines) {
    sales.pizzas += quantity;
    sales.cents += quantity * validOn(catalog.pizzas.get(pizza_id), orderDate)!.price_cents;
  }
  return sales;
}
