import { isUtf8 } from "node:buffer";
import { checkOrder, type CheckedOrder, type OrderFacts } from "../domain/check-order.ts";
import type { Catalog } from "../domain/catalog.ts";
import type { Candidate } from "../domain/merge-orders.ts";
import type { Rejection } from "../domain/rejection-reasons.ts";
import { OrderScanner } from "../domain/scan-order.ts";
import type { StreamRecord } from "../ports.ts";
import { endOfLine, eventOf, payloadHash, unpackBytes } from "./unpack-record.ts";
import type { EventPosition } from "../domain/stream-position.ts";

const newline = 10;

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
  const unpacked = unpackBytes(record.data);
  result.bytes += unpacked.bytes.length;
  if ("rejection" in unpacked) {
    const position = { shard, sequenceNumber, recordIndex: 0 };
    rejected.push({ ...unpacked.rejection, position, arrivedAt, bytes: unpacked.bytes, bronzeKey });
    return;
  }
  const check = createChecker(unpacked, arrivedAt, by);
  const { bytes } = unpacked;
  let start = 0;
  let recordIndex = 0;
  // An empty record is one (invalid) event, but an empty batch holds no events.
  while (start < bytes.length || (recordIndex === 0 && !unpacked.isBatch)) {
    const position = { shard, sequenceNumber, recordIndex: recordIndex++ };
    const { checked, end } = check(start);
    const event = bytes.subarray(start, end);
    if ("rejection" in checked) rejected.push({ ...checked.rejection, position, arrivedAt, bytes: event, bronzeKey });
    else candidates.push(candidateOf(checked, { event, position, arrivedAt, record, bronzeKey }));
    start = end + 1;
  }
}

type CheckVerdict = { checked: CheckedOrder<OrderFacts> | { rejection: Rejection }; end: number };

/** Returns a function that checks the event at a byte offset: with the scanner if it can, else with `checkOrder`. */
function createChecker({ bytes, isBatch }: { bytes: Buffer; isBatch: boolean }, arrivedAt: number, by: Enrichment) {
  const scanner = isUtf8(bytes) ? scannerOf(by) : undefined;
  return (start: number): CheckVerdict => {
    const scanned = scanner?.scan(bytes, start, arrivedAt);
    if (scanned !== undefined) {
      const { end } = scanner!;
      if (end === bytes.length || (isBatch && bytes[end] === newline)) return { checked: scanned, end };
    }
    const end = isBatch ? endOfLine(bytes, start) : bytes.length;
    const event = eventOf(bytes.subarray(start, end));
    return { checked: "rejection" in event ? event : checkOrder(event.text, arrivedAt, by.catalog), end };
  };
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
