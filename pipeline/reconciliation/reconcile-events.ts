import { checkOrder, type CheckedOrder } from "../domain/check-order.ts";
import { type Catalog, validOn } from "../domain/catalog.ts";
import type { OrderEvent } from "../domain/generated/order-event.types.ts";
import type { ProducerLedger } from "../domain/sequence-gaps.ts";
import type { ReasonCode } from "../domain/rejection-reasons.ts";
import type { Findings, Receipt, Sales } from "../domain/receipt.ts";
import { isResent, recordPosition, resentKey } from "../domain/stream-position.ts";
import { readOrderId } from "../silver/quarantine-table.ts";
import { payloadHash, unpackRecord, type UnpackedEvent } from "../silver/unpack-record.ts";
import type { LandedRecord } from "./reconcile-records.ts";
import { digestBytes, type Layers } from "./read-layers.ts";
import { noteProducers, readProducer, type SeenProducer } from "./read-producer.ts";
import { createLineMaker, digestLines, type LineCells } from "./silver-lines.ts";

/** An order whose rows in silver differ from those that its event produces. */
export interface WrongOrder {
  orderId: string;
  orderDate: string;
  position: string;
  expected: LineCells[];
}

/** Reasons that depend on the state of silver; all others follow from the event alone. */
const conflicts: ReadonlySet<ReasonCode> = new Set(["conflicting_payload", "ordered_at_changed"]);

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
  const accepted = new Set<string>();
  const quarantined = new Set<string>();
  /** The partition keys of accepted resent events, which name the quarantined events that they resolve. */
  const corrected = new Set<string>();
  const wrong: WrongOrder[] = [];
  const linesOf = createLineMaker({ catalog, customerKey });
  let notSales = 0;

  function note(record: LandedRecord): void {
    const producers: SeenProducer[] = [];
    for (const [index, unpacked] of unpackRecord(record.data).entries()) {
      const position = `${recordPosition(record)}/${index}`;
      events.distinct++;
      if (!record.isConsumed) events.pending++;
      const checked = "rejection" in unpacked ? unpacked : checkOrder(unpacked.text, record.arrivedAt * 1000, catalog);
      producers.push("event" in checked ? checked.event.producer : readProducer(unpacked));
      if (!record.isConsumed) continue;
      compareQuarantined(position, unpacked, record.arrivedAt);
      if ("rejection" in checked) noteRejected(position, checked.rejection.reason);
      else if ("text" in unpacked) noteValid({ position, record, index, hash: payloadHash(unpacked.text) }, checked);
    }
    noteProducers(ledger, producers, record.partitionKey);
  }

  /** Checks that a quarantined event has its original bytes, and the order id and arrival time that can resolve it. */
  function compareQuarantined(position: string, event: UnpackedEvent, arrivedAt: number): void {
    const stored = layers.quarantined.get(position);
    if (stored === undefined) return;
    const bytes = "text" in event ? Buffer.from(event.text) : event.bytes;
    if (stored.digest !== digestBytes(bytes)) {
      findings.add("quarantine = bronze", "events in quarantine have different bytes than in bronze", position);
    } else if (stored.arrivedAt !== arrivedAt * 1000 || stored.orderId !== readOrderId(bytes.toString("utf8"))) {
      findings.add(
        "quarantine = bronze",
        "events in quarantine have a different order id or arrival time than in bronze",
        position,
      );
    }
  }

  function noteRejected(position: string, reason: ReasonCode): void {
    const stored = layers.quarantine.get(position);
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
    const stored = layers.quarantine.get(position);
    const order = layers.silver.get(event.order_id);
    const example = `${event.order_id} revision ${event.revision} at ${position}`;
    const invariant = "every event has one place";
    if (stored !== undefined && configurationReasons.has(stored) && order?.position !== position) {
      return noteLateValid(position, stored, checked);
    }
    if (order === undefined) findings.add(invariant, "valid events are missing from silver", example);
    else if (order.position === position && stored !== undefined) {
      findings.add(invariant, `accepted events are in quarantine as ${stored}`, example);
    }
    if (stored !== undefined && conflicts.has(stored)) return countQuarantined(position, stored);
    if (stored !== undefined) findings.add(invariant, `valid events are in quarantine as ${stored}`, example);
    if (order === undefined) return;
    if (isResent(source.record.partitionKey)) corrected.add(source.record.partitionKey);
    if (event.revision < order.revision) events.supersededRevisions++;
    else if (event.revision > order.revision)
      findings.add(invariant, "newer revisions are missing from silver", example);
    else if (order.position === position) noteAccepted(source, checked, order.digest);
    else if (order.payloadHash === source.hash) events.eventDuplicates++;
    else findings.add(invariant, "events differ from what silver accepted and are not in quarantine", example);
  }

  /**
   * The menu, stores or contract have changed since the rejection, so resending the order would bring it into silver.
   */
  function noteLateValid(position: string, stored: ReasonCode, { event }: CheckedOrder): void {
    countQuarantined(position, stored);
    if (event.revision <= (layers.silver.get(event.order_id)?.revision ?? -1)) return;
    findings.add(
      "every event has one place",
      `events in quarantine as ${stored} are valid now: resend them`,
      `${event.order_id} revision ${event.revision} at ${position}`,
    );
  }

  function noteAccepted({ position, record, index, hash }: EventSource, checked: CheckedOrder, digest: string): void {
    const { event, orderDate } = checked;
    const { shard, sequenceNumber } = record;
    events.accepted++;
    accepted.add(event.order_id);
    const lines = linesOf({
      ...checked,
      position: { shard, sequenceNumber, recordIndex: index },
      arrivedAt: record.arrivedAt * 1000,
      payloadHash: hash,
    });
    if (digestLines(lines) !== digest) wrong.push({ orderId: event.order_id, orderDate, position, expected: lines });
    const isSale = event.status === "placed" || event.status === "amended";
    const sales = salesOf(event, orderDate, catalog);
    if (!isSale) notSales++;
    else for (const key of ["orders", "lines", "pizzas", "cents"] as const) expected[key] += sales[key];
  }

  function finish() {
    for (const position of quarantined) {
      if (layers.cameLater.has(position) || corrected.has(resentKey(position))) events.closed++;
    }
    for (const [orderId, { position }] of layers.silver) {
      if (!accepted.has(orderId)) {
        findings.add("silver = bronze", "orders in silver have no event in bronze", `${orderId} from ${position}`);
      }
    }
    for (const [position, reason] of layers.quarantine) {
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

  return { note, finish };
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
