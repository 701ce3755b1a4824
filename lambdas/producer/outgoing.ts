import type { OrderEvent } from "../domain/generated/order-event.types.ts";
import type { FaultKind } from "./fault-kinds.ts";

/** One event's bytes on their way out of a till. */
export interface Outgoing {
  producerId: string;
  /** The event as JSON in UTF-8, or what a fault has made of it. */
  bytes: Uint8Array;
  /** What was done to it. */
  fault?: FaultKind;
}

/** An order event as the bytes that the till sends. */
export function toOutgoing(event: OrderEvent, fault?: FaultKind): Outgoing {
  const bytes = Buffer.from(JSON.stringify(event));
  const { producer_id: producerId } = event.producer;
  return fault === undefined ? { producerId, bytes } : { producerId, bytes, fault };
}
