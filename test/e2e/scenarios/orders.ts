import { classicYear } from "../../../bin/commands/send.ts";
import type { OrderEvent } from "../../../pipeline/domain/generated/order-event.types.ts";
import { toOutgoing, type Outgoing } from "../../../producer/batch-builder.ts";
import { order } from "../../support/order-fixture.ts";

/** Hands out the orders of the classic year in consecutive ranges of days, so that no till has a gap. */
export function classicDays(): (lastDay: string) => OrderEvent[] {
  const orders = [...classicYear()];
  return (lastDay) => {
    const end = orders.findIndex(({ ordered_at }) => ordered_at.slice(0, 10) > lastDay);
    return orders.splice(0, end);
  };
}

export const outgoing = (events: readonly OrderEvent[]): Outgoing[] => events.map((event) => toOutgoing(event));

/** Revisions of an order: first one more pizza on its first line, then a cancellation. */
export function createRevisions() {
  let seq = 0;
  const revise = (event: OrderEvent, revision: number, status: OrderEvent["status"]): OrderEvent => {
    const [first, ...others] = event.lines;
    const lines: OrderEvent["lines"] = [{ ...first, quantity: first.quantity + 1 }, ...others];
    return { ...event, revision, status, lines, producer: { producer_id: "till-revisions", seq: (seq += 1) } };
  };
  return {
    amended: (event: OrderEvent) => revise(event, 1, "amended"),
    cancelled: (event: OrderEvent) => revise(event, 2, "cancelled"),
  };
}

/** Malformed records that the pipeline must tolerate, and the reasons for which silver rejects them. */
export function garbage(): { events: Outgoing[]; reasons: Record<string, number> } {
  const like = (id: string) => JSON.stringify(order({ order_id: id, producer: { producer_id: `till-${id}`, seq: 1 } }));
  const bytes = [
    Buffer.from([0, 1, 2, 255]),
    Buffer.alloc(100_000, "x"),
    Buffer.from(`${"[".repeat(10_000)}${"]".repeat(10_000)}`),
    Buffer.from(like("nul").replace("Ada", String.raw`\u0000`)),
    Buffer.from(like("proto").replace("{", '{"__proto__":{},')),
    Buffer.from(like("huge").replace("13.25", "1e308")),
    Buffer.from(like("half").slice(0, 200)),
    Buffer.from(like("menu").replace("hawaiian_m", "liver_xl")),
  ];
  return {
    events: bytes.map((each, i) => ({ producerId: `garbage-${i}`, bytes: each })),
    reasons: {
      bad_utf8: 1,
      event_too_large: 1,
      too_deep: 1,
      forbidden_character: 1,
      unknown_key: 1,
      money_out_of_range: 1,
      not_json: 1,
      unknown_pizza: 1,
    },
  };
}
