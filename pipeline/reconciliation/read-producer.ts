import type { OrderEvent } from "../domain/generated/order-event.types.ts";
import { parseText } from "../domain/salvage-orders.ts";
import { type ProducerLedger, type Trace, salvageProducers } from "../domain/sequence-gaps.ts";
import { eventOf } from "../silver/unpack-record.ts";

type Producer = OrderEvent["producer"];

/** The producer fields of an event, what could be salvaged of them from damaged bytes, or undefined. */
export type SeenProducer = Producer | { trace: Trace } | undefined;

/**
 * Reads the producer fields of a rejected event, or salvages them if it is damaged: one for each event that its bytes
 * show, and at least one, which may be undefined.
 */
export function readProducers(bytes: Buffer): SeenProducer[] {
  const event = eventOf(bytes);
  const producer = "text" in event ? parseProducer(event.text) : undefined;
  if (producer !== undefined) return [producer];
  const salvaged = salvageProducers(bytes.toString("utf8")).map(({ producerId, seq }) => ({
    trace: seq === undefined ? { producerId } : { producerId, from: seq, to: seq },
  }));
  return salvaged.length === 0 ? [undefined] : salvaged;
}

function parseProducer(text: string): Producer | undefined {
  // Parsing a long text that is damaged at its end takes long.
  if (!/producer|\\u/.test(text)) return undefined;
  const { producer } = Object(parseText(text)) as Partial<OrderEvent>;
  const isReadable = typeof producer?.producer_id === "string" && Number.isSafeInteger(producer.seq);
  return isReadable ? producer : undefined;
}

/**
 * Adds the producers of a record's events to the ledger. An event without readable producer fields may carry a sequence
 * number adjacent to those of its neighbors in the record, because one sender packs a record. It may also carry any
 * number of the till that the partition key names. A corrupt event in a separate record excuses no other till's gap.
 */
export function noteProducers(ledger: ProducerLedger, seen: readonly SeenProducer[], partitionKey: string): void {
  for (const producer of seen) {
    if (producer === undefined) continue;
    if ("trace" in producer) ledger.noteUnreadable([producer.trace]);
    else ledger.note(producer.producer_id, producer.seq);
  }
  if (seen.includes(undefined)) noteUnknown(ledger, seen, partitionKey);
}

function noteUnknown(ledger: ProducerLedger, seen: readonly SeenProducer[], partitionKey: string): void {
  const unknown = seen.filter((producer) => producer === undefined).length;
  const tills = numbersByTill(seen);
  for (let index = 0; index < seen.length;) {
    let end = index + 1;
    if (seen[index] === undefined) {
      while (end < seen.length && seen[end] === undefined) end++;
      const near = tills.flatMap((till) => numbersNear(till, end, unknown));
      ledger.noteUnreadable([...near, { producerId: partitionKey }], end - index);
    }
    index = end;
  }
}

/** The sequence numbers of one till in a record, by index; the first `passed` of them lie before the current event. */
interface TillNumbers {
  producerId: string;
  numbers: { index: number; seq: number }[];
  passed: number;
}

function numbersByTill(seen: readonly SeenProducer[]): TillNumbers[] {
  const tills = new Map<string, TillNumbers>();
  for (const [index, producer] of seen.entries()) {
    if (producer === undefined || "trace" in producer) continue;
    const { producer_id: producerId, seq } = producer;
    const till = tills.get(producerId) ?? { producerId, numbers: [], passed: 0 };
    till.numbers.push({ index, seq });
    tills.set(producerId, till);
  }
  return [...tills.values()];
}

/**
 * Returns the range of the till's sequence numbers that the unknown events before `end` may carry. Call it with
 * increasing `end`.
 */
function numbersNear(till: TillNumbers, end: number, unknown: number): Trace[] {
  const { producerId, numbers } = till;
  while (till.passed < numbers.length && numbers[till.passed]!.index < end) till.passed++;
  const [before, next] = [numbers[till.passed - 1]?.seq, numbers[till.passed]?.seq];
  const from = before === undefined ? next! - unknown : before + 1;
  const to = next === undefined ? before! + unknown : next - 1;
  return from > to ? [] : [{ producerId, from, to }];
}
