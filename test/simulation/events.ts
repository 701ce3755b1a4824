import { zstdCompressSync } from "node:zlib";
import type { ReasonCode } from "../../pipeline/domain/rejection-reasons.ts";
import { catalog, order } from "../support/order-fixture.ts";
import { createTillNumbers, type TillNumbers } from "./till-numbers.ts";
import type { World } from "./world.ts";

/** An event of a history, and its expected outcome. */
export interface SentEvent {
  bytes: Buffer;
  /** Why silver must reject it; undefined if the event alone is valid. */
  reason?: ReasonCode;
  /** Undefined if the event is rejected. */
  order?: SentOrder;
  producer?: { producer_id: string; seq: number };
}

/** The contents of a valid event. */
export interface SentOrder {
  orderId: string;
  revision: number;
  status: string;
  orderedAt: string;
  emittedAt: string;
  storeId: string;
  channel: string;
  customerId: string | undefined;
  lines: { line_no: number; pizza_id: string; quantity: number; unit_price: number }[];
}

/** The contents of one stream record. */
export interface Parcel {
  data: Buffer;
  /** By index; a batch that cannot be unpacked is one rejected event. */
  events: SentEvent[];
  till: string;
}

/**
 * Usually days of one month; sometimes the end of one and the start of the next, where gold looks back across months.
 */
const oneMonth = ["2015-01-29", "2015-01-30", "2015-01-31"];
const twoMonths = ["2015-01-30", "2015-01-31", "2015-02-01"];

const pizzas = [...catalog.pizzas.values()].map(([version]) => version!);
const statuses = ["placed", "amended", "cancelled", "refunded"] as const;
const mostOrders = 5;
const tills = 2;

/** The data that a history sends. */
export interface Sent {
  /** In the order of sending. */
  parcels: Parcel[];
  /** The numbers of each till that no event has and that must be reported as missing. */
  neverSent: ReadonlyMap<string, readonly number[]>;
}

/** All events of a history, packed into records. */
export function makeParcels(world: World): Sent {
  const { choices, faults } = world;
  const numbers = createTillNumbers();
  const days = choices.chance(20) ? twoMonths : oneMonth;
  const events: SentEvent[] = [];
  for (let n = 0; n <= choices.below(mostOrders); n++) events.push(...ordersEvents(world, { n, days }, numbers));
  for (let at = 0; at < events.length; at++) {
    if (!choices.chance(20)) continue;
    const [event] = events.splice(at, 1);
    events.splice(at + choices.below(events.length - at + 1), 0, event!);
    faults.fired("events: out of order");
  }
  const neverSent = numbers.neverSent();
  for (const _ of [...neverSent.values()].flat()) faults.fired("events: a till's sequence number is never sent");
  return { parcels: pack(world, events), neverSent };
}

type MakeEvent = (till: string, sent: SentOrder, reason?: ReasonCode) => SentEvent;

function createEventMaker(numbers: TillNumbers): MakeEvent {
  return (till, sent, reason) => {
    const producer = { producer_id: till, seq: numbers.give(till) };
    const { orderId, revision, status, orderedAt, emittedAt, storeId, channel, customerId, lines } = sent;
    const event = order({
      order_id: orderId,
      revision,
      status,
      ordered_at: orderedAt,
      emitted_at: emittedAt,
      store_id: storeId,
      channel,
      customer: customerId === undefined ? undefined : { customer_id: customerId },
      lines,
      producer,
    });
    const bytes = Buffer.from(JSON.stringify(event));
    return reason === undefined ? { bytes, order: sent, producer } : { bytes, reason, producer };
  };
}

/** The order's number in the history, and its possible days. */
interface Plan {
  n: number;
  days: readonly string[];
}

/** The events of one order: its revisions, with faults in some of them. */
function ordersEvents({ choices, faults }: World, { n, days }: Plan, numbers: TillNumbers): SentEvent[] {
  const makeEvent = createEventMaker(numbers);
  const till = `till-${choices.below(tills)}`;
  if (choices.chance(15)) numbers.leaveOut(till);
  const first = drawOrder({ choices }, { n, days });
  const events = [makeEvent(till, first)];
  const revisions = choices.pick([0, 0, 1, 1, 2]);
  for (let revision = 1; revision <= revisions; revision++) {
    const changed = { ...first, revision, status: choices.pick(statuses), lines: drawLines({ choices }) };
    events.push(makeEvent(till, changed));
  }
  const any = () => choices.pick(events.filter(({ order: valid }) => valid)).order!;
  for (let faulty = choices.pick([0, 0, 0, 1, 2]); faulty > 0; faulty--) {
    const kind = choices.pick(eventFaults);
    faults.fired(kind);
    if (kind === "events: sent twice") events.push(choices.pick(events));
    if (kind === "events: different payload for the same revision") {
      // Sent at the same time as the other one, a second later, or earlier because the clock was set back.
      const emittedAt = new Date(Date.parse(any().emittedAt) + 1000 * choices.pick([0, 1, -1])).toISOString();
      events.push(makeEvent(till, { ...any(), emittedAt, lines: drawLines({ choices }) }));
    }
    if (kind === "events: order id reused in another store") {
      events.push(makeEvent(till, { ...first, storeId: otherStore(), lines: drawLines({ choices }) }));
    }
    if (kind === "events: order id reused by another till of the store") {
      const orderedAt = `${first.orderedAt.slice(0, 10)}T09:45:00-06:00`;
      events.push(makeEvent(`till-${choices.below(tills)}`, { ...first, orderedAt, lines: drawLines({ choices }) }));
    }
    if (kind === "events: till writes a different UTC offset") {
      const orderedAt = new Date(first.orderedAt).toISOString();
      events.push(makeEvent(till, { ...first, orderedAt, revision: 1 + choices.below(3), status: "amended" }));
    }
    if (kind === "events: revision changes its order's time within the day") {
      events.push(makeEvent(till, { ...any(), orderedAt: `${first.orderedAt.slice(0, 10)}T20:30:00-06:00` }));
    }
    if (kind === "events: order id reused on another day") events.push(movedEvent());
    if (kind === "events: invalid") events.push(invalidEvent());
  }
  return events;

  function otherStore(): string {
    return first.storeId === "nyc-01" ? "chi-01" : "nyc-01";
  }

  /** The same order id on another day is another order, whatever its revision. */
  function movedEvent(): SentEvent {
    const other = days.filter((day) => !first.orderedAt.startsWith(day));
    const orderedAt = `${choices.pick(other)}T18:15:00-06:00`;
    return makeEvent(till, { ...first, orderedAt, revision: choices.below(4), status: choices.pick(statuses) });
  }

  function invalidEvent(): SentEvent {
    const id = { ...first, orderId: `invalid-${n}-${events.length}` };
    return choices.pick([
      () => makeEvent(till, { ...id, storeId: "mars-01" }, "unknown_store"),
      () => makeEvent(till, { ...id, orderedAt: "2099-01-01T12:00:00Z" }, "future_time"),
      () => ({ bytes: Buffer.from(`garbage ${n}`), reason: "not_json" as const }),
      () => ({ bytes: Buffer.from([0xff, 0xfe, n]), reason: "bad_utf8" as const }),
    ])();
  }
}

const eventFaults = [
  "events: sent twice",
  "events: different payload for the same revision",
  "events: revision changes its order's time within the day",
  "events: order id reused on another day",
  "events: order id reused in another store",
  "events: order id reused by another till of the store",
  "events: till writes a different UTC offset",
  "events: invalid",
] as const;

function drawOrder({ choices }: Pick<World, "choices">, { n, days }: Plan): SentOrder {
  const customer = choices.below(4);
  return {
    orderId: `order-${n}`,
    revision: 0,
    status: "placed",
    orderedAt: `${choices.pick(days)}T${10 + choices.below(14)}:15:00-06:00`,
    emittedAt: "2015-02-01T16:38:37.120Z",
    storeId: choices.pick(["nyc-01", "chi-01"]),
    channel: choices.pick(["dine_in", "online"]),
    customerId: customer === 3 ? undefined : `c-${customer}`,
    lines: drawLines({ choices }),
  };
}

function drawLines({ choices }: Pick<World, "choices">): SentOrder["lines"] {
  return Array.from({ length: 1 + choices.below(3) }, (_, index) => {
    const { pizza_id, price_cents } = choices.pick(pizzas);
    return { line_no: index + 1, pizza_id, quantity: 1 + choices.below(3), unit_price: price_cents / 100 };
  });
}

/** Events as single records and as compressed batches of one till. */
function pack({ choices, faults }: World, events: readonly SentEvent[]): Parcel[] {
  const parcels: Parcel[] = [];
  for (let at = 0; at < events.length;) {
    const till = tillOf(events[at]!);
    let end = at + 1;
    while (end < events.length && tillOf(events[end]!) === till && choices.chance(60)) end++;
    const group = events.slice(at, end);
    const isBatch = group.length > 1 || choices.chance(50);
    parcels.push({ data: isBatch ? batchOf(group) : group[0]!.bytes, events: group, till });
    at = end;
  }
  if (choices.chance(10)) {
    faults.fired("events: truncated batch");
    const data = batchOf([{ bytes: Buffer.from(`cut ${parcels.length}`) }]).subarray(0, -4);
    const cut = { data, events: [{ bytes: data, reason: "batch_corrupt" as const }], till: "till-0" };
    parcels.splice(choices.below(parcels.length + 1), 0, cut);
  }
  return parcels;
}

function tillOf({ producer }: SentEvent): string {
  return producer?.producer_id ?? "till-0";
}

function batchOf(events: readonly { bytes: Buffer }[]): Buffer {
  return zstdCompressSync(
    Buffer.concat(events.flatMap(({ bytes }, n) => (n === 0 ? [bytes] : [Buffer.from("\n"), bytes]))),
  );
}
