import type { Catalog } from "../domain/catalog.ts";
import { parseEdit, type Change } from "../domain/edit-event.ts";
import type { EventSink } from "../ports.ts";
import type { HeldOrder, QuarantinedOrder } from "./list-quarantined.ts";
import { judgeResends, ordersOf, planResend, resend, type ResendPlan } from "./resend.ts";
import type { OrderName } from "../domain/order-map.ts";

/** Edits of quarantined events, each `path=value`, as `./pizza quarantine resend` takes them. */
export interface CorrectionRequest {
  ids: readonly string[];
  edits: readonly string[];
}

/** What a correction makes of one quarantined event. */
export interface CorrectedEvent {
  id: string;
  changes: Change[];
  /** Value of the order, US cents; null if it cannot be read. */
  cents: number | null;
  /** Why silver would reject it again; null if silver would accept it. */
  problem: string | null;
  /** The order as silver would hold it; null if the event is not valid on its own. */
  order: {
    orderId: string;
    revision: number;
    status: string;
    storeId: string;
    channel: string;
    orderedAt: string;
    lines: { pizzaId: string; quantity: number; unitPrice: number }[];
  } | null;
  /** The new stream position, once it has been sent. */
  sentAs: { shard: string; sequenceNumber: string } | null;
}

interface CorrectionSources {
  quarantined: () => Promise<QuarantinedOrder[]>;
  heldOrders: (orders: OrderName[]) => Promise<HeldOrder[]>;
  catalog: Catalog;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Corrects quarantined events by id and says what silver would do with each. With a sink, sends those that silver would
 * accept. Throws if an id does not exist, if its event is resolved already, or if an edit cannot be parsed.
 */
export async function correctById(
  { quarantined, heldOrders, catalog, now }: CorrectionSources,
  { ids, edits }: CorrectionRequest,
  sink?: EventSink,
): Promise<CorrectedEvent[]> {
  const correction = { edits: edits.map(parseEdit) };
  const all = new Map((await quarantined()).map((event) => [event.id, event]));
  const events = [...new Set(ids)].map((id) => {
    const event = all.get(id);
    if (event === undefined) throw new Error(`quarantined event ${id} does not exist`);
    if (event.isClosed) throw new Error(`quarantined event ${id} is resolved already`);
    return event;
  });
  const plans = events.map((event) => planResend(event, correction, { catalog, now }));
  const orders = ordersOf(plans);
  const judged = judgeResends(plans, orders.length === 0 ? [] : await heldOrders(orders));
  const sendable = sink === undefined ? [] : judged.filter(({ problem }) => problem === undefined);
  const sent = sink === undefined ? [] : await resend(sink, sendable);
  return judged.map((plan) => ({ ...outcome(plan), sentAs: sent[sendable.indexOf(plan)] ?? null }));
}

function outcome({ rejected, changes, cents, problem, checked }: ResendPlan): Omit<CorrectedEvent, "sentAs"> {
  const event = checked?.event;
  const order =
    event === undefined
      ? null
      : {
          orderId: event.order_id,
          revision: event.revision,
          status: event.status,
          storeId: event.store_id,
          channel: event.channel,
          orderedAt: event.ordered_at,
          lines: event.lines.map((line) => ({
            pizzaId: line.pizza_id,
            quantity: line.quantity,
            unitPrice: line.unit_price,
          })),
        };
  return { id: rejected.id, changes, cents, problem: problem ?? null, order };
}
