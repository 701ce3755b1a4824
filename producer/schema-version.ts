import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import { createRandom, hash32, type Random } from "./random.ts";

/** Contract version of the tills; with `mixed`, about half of them use version 2. */
export const schemaVersions = ["1", "2", "mixed"] as const;
export type SchemaVersion = (typeof schemaVersions)[number];

const promotions = ["FRIDAY-2FOR1", "LUNCH-10", "WELCOME"];
/** Invented shares of orders with a promotion code, and with a tip by channel. */
const promoted = 0.12;
const tipping: Record<OrderEvent["channel"], number> = { dine_in: 0.6, takeaway: 0.1, delivery: 0.7, online: 0.2 };

/** The events in that contract version; promotion codes and tips are drawn from the seed. */
export function* inSchemaVersion(
  events: Iterable<OrderEvent>,
  { version, seed }: { version: SchemaVersion; seed: number },
): Generator<OrderEvent, void, undefined> {
  const random = createRandom("schema version 2", seed);
  for (const event of events) {
    yield version === "1" || (version === "mixed" && !isUpdated(event)) ? event : inVersion2(event, random);
  }
}

function isUpdated({ producer }: OrderEvent): boolean {
  return hash32(producer.producer_id) % 2 === 1;
}

/** Keys are in the contract's order. */
function inVersion2({ producer, ...event }: OrderEvent, random: Random): OrderEvent {
  const hasPromotion = random.chance(promoted);
  const hasTip = random.chance(tipping[event.channel]);
  return {
    ...event,
    schema_version: 2,
    ...(hasPromotion && { promotion_code: random.pick(promotions) }),
    ...(hasTip && { tip: random.integer(4, 40) / 4 }),
    producer,
  };
}
