import { isUtf8 } from "node:buffer";
import { checkOrder, type CheckedOrder, type OrderFacts } from "../domain/check-order.ts";
import type { Catalog } from "../domain/catalog.ts";
import type { Candidate } from "../domain/merge-orders.ts";
import type { Rejection } from "../domain/rejection-reasons.ts";
import { OrderScanner } from "../domain/scan-order.ts";
import type { StreamRecord } from "../ports.ts";
import { listOrders, readOrders } from "./orders-in-event.ts";
import { eventOf, payloadHash, unpackRecord, type ScanEvent } from "./unpack-record.ts";
import type { EventPosition } from "../domain/stream-position.ts";

/** An event, or a whole record, that silver rejects, with its bytes and the reason. */
export interface RejectedEvent extends Rejection {
  position: EventPosition;
  /** Microseconds since 1970, UTC. */
  arrivedAt: number;
  bytes: Uint8Array;
  bronzeKey: string;
}

/** A valid event, with its record in case a conflict quarantines it later; only then are its bytes unpacked again. */
export interface ReadCandidate extends Candidate {
  record: StreamRecord;
  bronzeKey: string;
}

/** The events of some records, valid and rejected. */
export interface ReadEvents {
  candidates: ReadCandidate[];
  rejected: RejectedEvent[];
  /** Bytes of all events, unpacked. */
  bytes: number;
}

/** The reference data that events are checked against and enriched with. */
export interface Enrichment {
  catalog: Catalog;
  customerKey: (customerId: string) => string;
}

/** One scanner per enrichment: the values that it has cached stay useful in later runs. */
const scanners = new WeakMap<Enrichment, OrderScanner>();

/** Checks every event in the given records of one bronze object. */
export function readEvents(records: readonly StreamRecord[], bronzeKey: string, by: Enrichment): ReadEvents {
  const result: ReadEvents = { candidates: [], rejected: [], bytes: 0 };
  for (const record of records) readRecord(result, record, bronzeKey, by);
  return result;
}

function readRecord(result: ReadEvents, record: StreamRecord, bronzeKey: string, by: Enrichment) {
  const { candidates, rejected } = result;
  const { shard, sequenceNumber } = record;
  const arrivedAt = record.arrivedAt * 1000;
  const units = unpackRecord(record.data, createScan(arrivedAt, by));
  for (const { index: recordIndex, bytes, rejection, scanned } of units) {
    const position = { shard, sequenceNumber, recordIndex };
    const checked = scanned ?? (rejection === undefined ? checkEvent(bytes, arrivedAt, by.catalog) : { rejection });
    result.bytes += bytes.length;
    if ("rejection" in checked) {
      // A copy: the part would keep all of its batch in memory.
      const copy = Buffer.from(bytes);
      const detail = checked.rejection.detail + othersIn(bytes, by.catalog);
      rejected.push({ reason: checked.rejection.reason, detail, position, arrivedAt, bytes: copy, bronzeKey });
    } else candidates.push(candidateOf(checked, { event: bytes, position, arrivedAt, record, bronzeKey }));
  }
}

/** Returns a function that reads the event at a byte offset with the scanner, if the text is valid UTF-8. */
function createScan(arrivedAt: number, by: Enrichment): ScanEvent<CheckedOrder<OrderFacts>> {
  const scanner = scannerOf(by);
  let text: Buffer | undefined;
  let isReadable = false;
  return (bytes, start) => {
    if (bytes !== text) isReadable = isUtf8((text = bytes));
    const scanned = isReadable ? scanner.scan(bytes, start, arrivedAt) : undefined;
    return scanned && { scanned, end: scanner.end };
  };
}

/** Checks the bytes of one event. */
export function checkEvent(
  bytes: Buffer,
  arrivedAt: number,
  catalog: Catalog,
): CheckedOrder | { rejection: Rejection } {
  const event = eventOf(bytes);
  return "rejection" in event ? event : checkOrder(event.text, arrivedAt, catalog);
}

/** Names the orders of rejected bytes that hold several of them, for the end of the row's detail. */
function othersIn(bytes: Buffer, catalog: Catalog): string {
  const orders = readOrders(bytes.toString("utf8"), catalog);
  return orders.length === 0 ? "" : listOrders(orders);
}

/** Copies field by field, because spreading the objects would cost as much as parsing half an event. */
function candidateOf(
  checked: CheckedOrder<OrderFacts>,
  {
    event,
    position,
    arrivedAt,
    record,
    bronzeKey,
  }: Omit<ReadCandidate, keyof CheckedOrder | "payloadHash"> & {
    event: Buffer;
  },
): ReadCandidate {
  return {
    event: checked.event,
    orderDate: checked.orderDate,
    orderHour: checked.orderHour,
    wrongOffset: checked.wrongOffset,
    orderedAt: checked.orderedAt,
    emittedAt: checked.emittedAt,
    position,
    arrivedAt,
    payloadHash: payloadHash(event),
    record,
    bronzeKey,
  };
}

function scannerOf(by: Enrichment): OrderScanner {
  let scanner = scanners.get(by);
  if (scanner === undefined) scanners.set(by, (scanner = new OrderScanner(by)));
  return scanner;
}
