import { setTimeout as sleep } from "node:timers/promises";
import { type Catalog, validOn } from "../domain/catalog.ts";
import { checkOrder, type CheckedOrder } from "../domain/check-order.ts";
import { editEvent, type Change, type Edit, type NameValue } from "../domain/edit-event.ts";
import { mergeOrders, type Candidate, type Conflict, type KnownOrder } from "../domain/merge-orders.ts";
import { parseInstant } from "../domain/parse-instant.ts";
import { eventPosition, resentKey } from "../domain/stream-position.ts";
import type { EventSink, OutgoingRecord } from "../ports.ts";
import { eventOf, payloadHash } from "../silver/unpack-record.ts";
import { quarantinedAmount, type QuarantinedOrder, type HeldOrder } from "./list-quarantined.ts";

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
  const plan = { rejected, ...corrected, cents: quarantinedAmount(text) ?? null };
  const event = eventOf(Buffer.from(text));
  const checked = "rejection" in event ? event : checkOrder(event.text, now * 1000, catalog);
  return "rejection" in checked ? { ...plan, problem: checked.rejection.detail } : { ...plan, checked };
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

function namesOf({ arrivedAt, payload, silverRevision }: QuarantinedOrder, { pizzas }: Catalog): NameValue {
  return (name, container) => {
    if (name === "next") return (silverRevision ?? -1) + 1;
    if (name === "arrival")
      return wallClock(arrivedAt, /"ordered_at"\s*:\s*"[^"]*?([+-]\d\d:\d\d)"/.exec(payload)?.[1]);
    const { pizza_id } = Object(container) as { pizza_id?: unknown };
    const day = /"ordered_at"\s*:\s*"(\d{4}-\d\d-\d\d)/.exec(payload)?.[1] ?? arrivedAt.slice(0, 10);
    const price = validOn(pizzas.get(String(pizza_id)), day)?.price_cents;
    return price === undefined ? undefined : price / 100;
  };
}

/** Formats a time as local time with a UTC offset such as `-07:00`. */
function wallClock(moment: string, offset = "+00:00"): string {
  const [hours, minutes] = offset.slice(1).split(":").map(Number);
  const shift = (offset.startsWith("-") ? -1 : 1) * (hours! * 60 + minutes!) * 60_000;
  return new Date(Date.parse(moment) + shift).toISOString().slice(0, 19) + offset;
}

/** A plan with a valid event. */
type Sound = ResendPlan & { text: string; checked: CheckedOrder };

/** Returns the ids of the orders to look up in silver for `judgeResends`. */
export function ordersOf(plans: readonly ResendPlan[]): string[] {
  return [...new Set(plans.filter(isSound).map(({ checked }) => checked.event.order_id))];
}

/**
 * Checks corrected events as silver will: against what it holds of their orders (`held`, for `ordersOf(plans)`) and
 * against each other. Of conflicting events, the first one wins.
 */
export function judgeResends(plans: readonly ResendPlan[], held: readonly HeldOrder[]): ResendPlan[] {
  const known = new Map(held.map((order) => [order.orderId, knownOrder(order)]));
  const renamed = new Set(plans.filter(isSound).filter((plan) => isOfAnother(plan, plans, known)));
  const sound = plans.filter(isSound).filter((plan) => !renamed.has(plan));
  const candidates = new Map(sound.map((plan) => [candidateOf(plan), plan]));
  // Earlier revisions first, so that conflicts are found whichever shard delivers first.
  const inOrder = [...candidates.keys()].toSorted((a, b) => a.event.revision - b.event.revision);
  const problems = new Map<ResendPlan, string>();
  for (const { candidate, reason } of mergeOrders(inOrder, known).conflicts) {
    problems.set(candidates.get(candidate as Candidate & Sound["checked"])!, problemOf(candidate, reason, held));
  }
  for (const plan of renamed) {
    problems.set(plan, `order_id ${plan.checked.event.order_id} belongs to another order: choose a different order_id`);
  }
  return plans.map((plan) => (problems.has(plan) ? { ...plan, problem: problems.get(plan)! } : plan));
}

function isSound(plan: ResendPlan): plan is Sound {
  return plan.problem === undefined && plan.checked !== undefined && plan.text !== undefined;
}

/** Whether an edit gave the event the id of another order, which it would replace. */
function isOfAnother({ rejected, checked }: Sound, plans: readonly ResendPlan[], known: ReadonlyMap<string, unknown>) {
  const { order_id } = checked.event;
  if (rejected.orderId === null || rejected.orderId === order_id) return false;
  return (
    known.has(order_id) ||
    plans.some((other) => other.rejected.orderId !== rejected.orderId && other.checked?.event.order_id === order_id)
  );
}

function candidateOf({ rejected, checked, text }: Sound) {
  const { shard, sequenceNumber, recordIndex } = rejected;
  const position = { shard, sequenceNumber, recordIndex };
  return { ...checked, position, arrivedAt: 0, payloadHash: payloadHash(text) };
}

function knownOrder({ revision, orderDate, orderedAt, payloadHash: bits }: HeldOrder): KnownOrder {
  // A resent event gets a new stream position, which differs from that of every event in silver.
  const position = { shard: "", sequenceNumber: "", recordIndex: 0 };
  return { revision, orderDate, orderedAt: parseInstant(orderedAt)!, payloadHash: BigInt(bits), position };
}

function problemOf(
  { event: { order_id, revision } }: Candidate,
  reason: Conflict["reason"],
  allHeld: readonly HeldOrder[],
): string {
  const held = allHeld.find(({ orderId }) => orderId === order_id);
  if (reason === "ordered_at_changed") {
    if (held === undefined)
      return `another of these events has a different time for order ${order_id}: resend only the correct one`;
    return `silver holds order ${order_id} at ${held.orderedAt}, of ${held.orderDate}, and an order keeps its time: set ordered_at to it`;
  }
  if (held?.revision === revision) {
    return `silver holds a different payload of revision ${revision}: add revision=@next, or do not resend the event`;
  }
  return `another of these events is also revision ${revision} of order ${order_id}: resend only the correct one`;
}
