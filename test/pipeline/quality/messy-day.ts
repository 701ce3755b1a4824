import { order } from "../../support/order-fixture.ts";
import type { ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";

const one = { line_no: 1, pizza_id: "hawaiian_m", quantity: 1, unit_price: 13.25 };
const two = { line_no: 2, pizza_id: "bbq_ckn_s", quantity: 2, unit_price: 12.75 };
const large = { line_no: 1, pizza_id: "hawaiian_l", quantity: 3, unit_price: 16.5 };

/** Creates an event of the only till; its number is `seq`. */
export function event(seq: number, order_id: string, changes: Record<string, unknown> = {}) {
  return order({ order_id, producer: { producer_id: "till-1", seq }, ...changes });
}

/**
 * Sends a messy but valid day all the way to gold: duplicates, revisions, a conflict, corrupt events, a redelivery. Six
 * orders are sales of their days, one is cancelled.
 */
export async function sellMessily(pipeline: ReceiptPipeline) {
  const nextDay = { ordered_at: "2015-01-02T19:30:00-06:00", store_id: "chi-01" };
  const first = await pipeline.send([
    event(1, "a"),
    event(2, "b"),
    event(3, "c", { lines: [one, two] }),
    Buffer.from("garbage"),
  ]);
  const second = await pipeline.send(
    [
      event(1, "a"),
      event(5, "b", { revision: 1, status: "amended", lines: [large] }),
      event(6, "c", { channel: "online" }),
    ],
    [
      event(7, "d", { ...nextDay, customer: undefined }),
      event(8, "e"),
      event(9, "e", { revision: 1, status: "cancelled" }),
    ],
  );
  const third = await pipeline.send(
    [event(10, "f", { store_id: "mars-01" }), event(11, "g", { ...nextDay, customer: { customer_id: "c-2" } })],
    [event(12, "h", { ordered_at: "2015-02-03T12:00:00Z" }), event(2, "b")],
    Buffer.from([0xff, 0xfe]),
  );
  const keys = [await pipeline.land(first), await pipeline.land(second)];
  await pipeline.work();
  keys.push(await pipeline.land(third), await pipeline.land([...second.slice(1), ...third.slice(0, 1)]));
  pipeline.confirm(third);
  await pipeline.work();
  return { keys, records: [...first, ...second, ...third] };
}
