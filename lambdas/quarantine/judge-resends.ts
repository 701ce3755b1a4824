import type { CheckedOrder } from "../domain/check-order.ts";
import { mergeOrders, type Candidate, type Conflict, type KnownOrder } from "../domain/merge-orders.ts";
import { parseInstant } from "../domain/parse-instant.ts";
import { payloadHash } from "../silver/unpack-record.ts";
import type { HeldOrder } from "./held-orders.ts";
import type { ResendPlan } from "./plan-resend.ts";

/** A plan whose event silver would take if it stood alone. */
type Sound = ResendPlan & { text: string; checked: CheckedOrder };

/** Ids of the orders that silver has to be asked about before the plans can be judged. */
export function ordersOf(plans: readonly ResendPlan[]): string[] {
  return [...new Set(plans.filter(isSound).map(({ checked }) => checked.event.order_id))];
}

/**
 * Judges corrected events as silver will: by what it holds of their orders, and by one another. `held` is what silver has
 * of `ordersOf(plans)`. Of events that contradict each other the first stays.
 */
export function judgeResends(plans: readonly ResendPlan[], held: readonly HeldOrder[]): ResendPlan[] {
  const known = new Map(held.map((order) => [order.orderId, knownOrder(order)]));
  const renamed = new Set(plans.filter(isSound).filter((plan) => isOfAnother(plan, plans, known)));
  const sound = plans.filter(isSound).filter((plan) => !renamed.has(plan));
  const candidates = new Map(sound.map((plan) => [candidateOf(plan), plan]));
  // Earlier revisions first: what contradicts its like is then found whichever shard is faster.
  const inOrder = [...candidates.keys()].toSorted((a, b) => a.event.revision - b.event.revision);
  const problems = new Map<ResendPlan, string>();
  for (const { candidate, reason } of mergeOrders(inOrder, known).conflicts) {
    problems.set(candidates.get(candidate as Candidate & Sound["checked"])!, problemOf(candidate, reason, held));
  }
  for (const plan of renamed) {
    problems.set(
      plan,
      `order_id ${plan.checked.event.order_id} is the name of another order: give it a name of its own`,
    );
  }
  return plans.map((plan) => (problems.has(plan) ? { ...plan, problem: problems.get(plan)! } : plan));
}

function isSound(plan: ResendPlan): plan is Sound {
  return plan.problem === undefined && plan.checked !== undefined && plan.text !== undefined;
}

/** Whether an edit gave the event the name of an order that is none of its own: it would take that one's place. */
function isOfAnother({ refused, checked }: Sound, plans: readonly ResendPlan[], known: ReadonlyMap<string, unknown>) {
  const { order_id } = checked.event;
  if (refused.orderId === null || refused.orderId === order_id) return false;
  return (
    known.has(order_id) ||
    plans.some((other) => other.refused.orderId !== refused.orderId && other.checked?.event.order_id === order_id)
  );
}

function candidateOf({ refused, checked, text }: Sound) {
  const { shard, sequenceNumber, recordIndex } = refused;
  const position = { shard, sequenceNumber, recordIndex };
  return { ...checked, position, arrivedAt: 0, payloadHash: payloadHash(text) };
}

function knownOrder({ revision, orderDate, orderedAt, payloadHash: bits }: HeldOrder): KnownOrder {
  // What is sent has a place of its own in the stream, that of no event in silver.
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
      return `another of these events puts order ${order_id} at another time: name the one that is right`;
    return `silver holds order ${order_id} at ${held.orderedAt}, of ${held.orderDate}, and an order keeps its time: set ordered_at to it`;
  }
  if (held?.revision === revision) {
    return `silver holds another payload of revision ${revision}: add revision=@next, or leave it as it is`;
  }
  return `another of these events is revision ${revision} of order ${order_id} too: name the one that is right`;
}
