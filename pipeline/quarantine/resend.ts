import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { type Catalog, validOn } from "../domain/catalog.ts";
import type { CheckedOrder } from "../domain/check-order.ts";
import { editEvent, type Change, type Edit, type NameValue } from "../domain/edit-event.ts";
import { mergeOrders, nameOf, type Candidate, type Conflict, type KnownOrder } from "../domain/merge-orders.ts";
import { OrderMap, showOrder, type OrderName } from "../domain/order-map.ts";
import { amountIn } from "../domain/salvage-orders.ts";
import { parseInstant } from "../domain/parse-instant.ts";
import { formatWall } from "../domain/wall-clock.ts";
import { readOrderName } from "../silver/quarantine-table.ts";
import { eventPosition, resentKey } from "../domain/stream-position.ts";
import type { EventSink, OutgoingRecord } from "../ports.ts";
import { checkEvent } from "../silver/read-events.ts";
import { payloadHash, unpackRecord } from "../silver/unpack-record.ts";
import type { QuarantinedOrder, HeldOrder } from "./list-quarantined.ts";

const recordsAtOnce = 100;
const attempts = 8;
const pauseMs = 200;

/** The stream position of a resent event. */
export interface Resent {
  shard: string;
  sequenceNumber: string;
}

/**
 * Sends corrected events, each as a separate record whose partition key names the quarantined event. Resolves once the
 * stream has acknowledged all of them. It is safe to repeat after an error: silver drops the duplicates.
 */
export async function resend(sink: EventSink, plans: readonly ResendPlan[]): Promise<Resent[]> {
  const resent: Resent[] = [];
  for (let start = 0; start < plans.length; start += recordsAtOnce) {
    const records = plans.slice(start, start + recordsAtOnce).map(({ rejected, text }) => ({
      partitionKey: resentKey(eventPosition(rejected)),
      data: Buffer.from(text!),
    }));
    resent.push(...(await putAll(sink, records)));
  }
  return resent;
}

async function putAll(sink: EventSink, records: readonly OutgoingRecord[]): Promise<Resent[]> {
  const done: Resent[] = [];
  let left = [...records.entries()];
  for (let attempt = 1; ; attempt++) {
    const results = await sink.putRecords(left.map(([, record]) => record));
    const failed = left.filter((_, index) => "errorCode" in results[index]!);
    for (const [index, [recordIndex]] of left.entries()) {
      const result = results[index]!;
      if ("sequenceNumber" in result) done[recordIndex] = result;
      else if (attempt === attempts) throw new Error(`stream did not accept the event: ${result.errorMessage}`);
    }
    if (failed.length === 0) return done;
    left = failed;
    await sleep(pauseMs * attempt);
  }
}

/** The event to send in place of a quarantined one, and whether silver would accept it. */
export interface ResendPlan {
  rejected: QuarantinedOrder;
  changes: Change[];
  /** The event to send; undefined if it could not be corrected. */
  text?: string;
  /** The event as silver parses it; undefined if it is invalid on its own. */
  checked?: CheckedOrder;
  /** The order's value in cents; null if it cannot be read. */
  cents: number | null;
  /** Why silver would reject it again; undefined if silver would accept it. */
  problem?: string;
}

/** A correction of a quarantined event: edits, or a whole new event. Without edits, the event is sent unchanged. */
export type Correction = { edits: readonly Edit[] } | { event: string };

/**
 * Corrects a quarantined event and checks the result as silver checks an event of a new order; `judgeResends` then
 * compares it with what silver holds. `now` is the time of sending, in milliseconds since 1970.
 */
export function planResend(
  rejected: QuarantinedOrder,
  correction: Correction,
  { catalog, now }: { catalog: Catalog; now: number },
): ResendPlan {
  const corrected = correct(rejected, correction, catalog);
  if ("problem" in corrected) return { rejected, changes: [], cents: null, ...corrected };
  const { text } = corrected;
  const plan = { rejected, ...corrected, cents: amountIn(text) ?? null };
  const [event, ...others] = unpackRecord(Buffer.from(text));
  if (event === undefined || others.length > 0) {
    return { ...plan, problem: `it holds ${others.length + 1} events: give one of them at a time with --file` };
  }
  const checked =
    event.rejection === undefined ? checkEvent(event.bytes, now * 1000, catalog) : { rejection: event.rejection };
  if ("rejection" in checked) return { ...plan, problem: checked.rejection.detail };
  return { ...plan, text: event.bytes.toString("utf8"), checked };
}

function correct(rejected: QuarantinedOrder, correction: Correction, catalog: Catalog) {
  if ("event" in correction) return { text: correction.event, changes: [] };
  if (correction.edits.length === 0) return { text: rejected.payload, changes: [] };
  let event: unknown;
  try {
    event = JSON.parse(rejected.payload);
  } catch {
    return { problem: "its payload is not JSON and cannot be edited: give the whole event with --file" };
  }
  const edited = editEvent(event, correction.edits, namesOf(rejected, catalog));
  return { text: JSON.stringify(edited.event), changes: edited.changes };
}

function namesOf({ arrivedAt, payload, silverRevision }: QuarantinedOrder, { pizzas, stores }: Catalog): NameValue {
  const { storeId, orderDate } = readOrderName(payload, { stores });
  return (name, container) => {
    if (name === "next") return (silverRevision ?? -1) + 1;
    if (name === "arrival") {
      const [store] = stores.get(storeId ?? "") ?? [];
      return formatWall(store?.time_zone ?? "UTC", Date.parse(arrivedAt));
    }
    const { pizza_id } = Object(container) as { pizza_id?: unknown };
    const price = validOn(pizzas.get(String(pizza_id)), orderDate ?? arrivedAt.slice(0, 10))?.price_cents;
    return price === undefined ? undefined : price / 100;
  };
}

/** A plan with a valid event. */
type Sound = ResendPlan & { text: string; checked: CheckedOrder };

/** Returns the orders to look up in silver for `judgeResends`. */
export function ordersOf(plans: readonly ResendPlan[]): OrderName[] {
  const orders = plans.filter(isSound).map(({ checked }) => nameOf(checked));
  return [...new Map(orders.map((order) => [showOrder(order), order])).values()];
}

/**
 * Checks corrected events as silver will: against what it holds of their orders (`held`, for `ordersOf(plans)`) and
 * against each other. A corrected event may not contradict an event that silver accepted, even if it would win.
 */
export function judgeResends(plans: readonly ResendPlan[], held: readonly HeldOrder[]): ResendPlan[] {
  const known = new OrderMap<KnownOrder>();
  for (const order of held) known.set(order, knownOrder(order));
  const renamed = new Set(plans.filter(isSound).filter((plan) => isOfAnother(plan, plans, known)));
  const sound = plans.filter(isSound).filter((plan) => !renamed.has(plan));
  const candidates = new Map(sound.map((plan) => [candidateOf(plan), plan]));
  const problems = new Map<ResendPlan, string>();
  // Earlier revisions first: two payloads of one revision must meet before a later revision supersedes one of them.
  const inOrder = [...candidates.keys()].toSorted((a, b) => a.event.revision - b.event.revision);
  const { conflicts, displaced } = mergeOrders(inOrder, known);
  for (const { candidate, reason } of conflicts) {
    problems.set(candidates.get(candidate as Candidate & Sound["checked"])!, problemOf(candidate, reason, held));
  }
  for (const { order, reason } of displaced) {
    for (const [candidate, plan] of candidates) {
      if (isDeepStrictEqual(nameOf(candidate), order)) problems.set(plan, problemOf(candidate, reason, held));
    }
  }
  for (const plan of renamed) {
    problems.set(plan, `order_id ${plan.checked.event.order_id} belongs to another order: choose a different order_id`);
  }
  return plans.map((plan) => (problems.has(plan) ? { ...plan, problem: problems.get(plan)! } : plan));
}

function isSound(plan: ResendPlan): plan is Sound {
  return plan.problem === undefined && plan.checked !== undefined && plan.text !== undefined;
}

/** Whether an edit gave the event the id of another order of its store and day, which it would replace. */
function isOfAnother({ rejected, checked }: Sound, plans: readonly ResendPlan[], known: OrderMap<unknown>) {
  const { order_id } = checked.event;
  if (rejected.orderId === null || rejected.orderId === order_id) return false;
  const name = nameOf(checked);
  return (
    known.has(name) ||
    plans.some(
      (other) =>
        other.rejected.orderId !== rejected.orderId &&
        other.checked !== undefined &&
        isDeepStrictEqual(nameOf(other.checked), name),
    )
  );
}

function candidateOf({ rejected, checked, text }: Sound) {
  const { shard, sequenceNumber, recordIndex } = rejected;
  const position = { shard, sequenceNumber, recordIndex };
  return { ...checked, position, arrivedAt: 0, payloadHash: payloadHash(text) };
}

function knownOrder({ orderedAt, emittedAt, payloadHash: bits, ...order }: HeldOrder): KnownOrder {
  // A resent event gets a new stream position, which differs from that of every event in silver.
  const position = { shard: "", sequenceNumber: "", recordIndex: 0 };
  const times = { orderedAt: parseInstant(orderedAt)!, emittedAt: parseInstant(emittedAt)!, arrivedAt: 0 };
  return { ...order, ...times, payloadHash: BigInt(bits), position };
}

function problemOf(candidate: Candidate, reason: Conflict["reason"], allHeld: readonly HeldOrder[]): string {
  const { order_id, revision } = candidate.event;
  const name = showOrder(nameOf(candidate));
  const held = allHeld.find((order) => showOrder(order) === name);
  if (reason === "ordered_at_changed") {
    if (held === undefined)
      return `another of these events has a different time for order ${order_id}: resend only the correct one`;
    return `silver holds order ${order_id} of ${held.orderDate} at ${held.orderedAt}, and an order keeps its time: set ordered_at to it, or give another order its own order_id`;
  }
  if (held?.revision === revision) {
    return `silver holds a different payload of revision ${revision}: add revision=@next, or do not resend the event`;
  }
  return `another of these events is also revision ${revision} of order ${order_id}: resend only the correct one`;
}
