import type { OrderEvent } from "../../pipeline/domain/generated/order-event.types.ts";
import type { OutgoingRecord } from "../../pipeline/ports.ts";
import type { QuarantinedOrder } from "../../pipeline/quarantine/list-quarantined.ts";
import type { Pipeline } from "../../targets/operations.ts";
import { order } from "../support/order-fixture.ts";

/** Where the stream put a record. */
export interface Place {
  shard: string;
  sequenceNumber: string;
}

let events = 0;

/** A new valid order from a new till, so that an attack makes no gap in another till's numbers. */
export function ownOrder(changes: Partial<OrderEvent> = {}): OrderEvent {
  events += 1;
  const producer = { producer_id: `till-attack-${events}`, seq: 1 };
  return order({ order_id: `attack-${events}`, producer, ...changes });
}

/** Sends records to the stream like a till; resolves to their stream positions. */
export async function put({ sink }: Pick<Pipeline, "sink">, ...contents: (string | Buffer)[]): Promise<Place[]> {
  const records: OutgoingRecord[] = contents.map((data) => ({ partitionKey: "key", data: Buffer.from(data) }));
  return (await sink.putRecords(records)).map((answer) => {
    if ("sequenceNumber" in answer) return answer;
    throw new Error(`the stream did not take a record: ${answer.errorMessage}`);
  });
}

/** What the quarantine holds of one record. */
export function rejectedOf(
  rejected: readonly QuarantinedOrder[],
  { shard, sequenceNumber }: Place,
): QuarantinedOrder[] {
  return rejected.filter((event) => event.shard === shard && event.sequenceNumber === sequenceNumber);
}
