import type { Catalog } from "../domain/catalog.ts";
import { checkOrder, type CheckedOrder } from "../domain/check-order.ts";
import { editEvent, type Change, type Edit, type NameValue } from "../domain/edit-event.ts";
import { moneyAtStake } from "../domain/money-at-stake.ts";
import { validOn } from "../domain/validity.ts";
import { eventOf } from "../silver/unpack-record.ts";
import type { RefusedOrder } from "./list-refused.ts";

/** What would be sent in place of a refused event, and what silver would say to it. */
export interface ResendPlan {
  refused: RefusedOrder;
  changes: Change[];
  /** The event as it would be sent; undefined where there is none. */
  text?: string;
  /** The same as silver reads it; undefined where it would refuse it whatever it holds. */
  checked?: CheckedOrder;
  /** Whole cents; null where it cannot be read. */
  cents: number | null;
  /** Why it would be refused again; undefined where silver would take it. */
  problem?: string;
}

/** How a refused event is corrected: by edits, or by a whole event in its place. Neither sends it as it is. */
export type Correction = { edits: readonly Edit[] } | { event: string };

/**
 * Corrects a refused event and judges the result as silver will judge an event of an order that is new to it: what it
 * holds already is for `judgeResends`. `now` is the moment of sending, milliseconds since 1970.
 */
export function planResend(
  refused: RefusedOrder,
  correction: Correction,
  { catalog, now }: { catalog: Catalog; now: number },
): ResendPlan {
  const corrected = correct(refused, correction, catalog);
  if ("problem" in corrected) return { refused, changes: [], cents: null, ...corrected };
  const { text } = corrected;
  const plan = { refused, ...corrected, cents: moneyAtStake(text) ?? null };
  const event = eventOf(Buffer.from(text));
  const checked = "refusal" in event ? event : checkOrder(event.text, now * 1000, catalog);
  return "refusal" in checked ? { ...plan, problem: checked.refusal.detail } : { ...plan, checked };
}

function correct(refused: RefusedOrder, correction: Correction, catalog: Catalog) {
  if ("event" in correction) return { text: correction.event, changes: [] };
  if (correction.edits.length === 0) return { text: refused.payload, changes: [] };
  let event: unknown;
  try {
    event = JSON.parse(refused.payload);
  } catch {
    return { problem: "its payload is no JSON, so no edit finds its place: give the whole event with --file" };
  }
  const edited = editEvent(event, correction.edits, namesOf(refused, catalog));
  return { text: JSON.stringify(edited.event), changes: edited.changes };
}

function namesOf({ arrivedAt, payload, silverRevision }: RefusedOrder, { pizzas }: Catalog): NameValue {
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

/** A moment on a clock of some offset from UTC, such as `-07:00`. */
function wallClock(moment: string, offset = "+00:00"): string {
  const [hours, minutes] = offset.slice(1).split(":").map(Number);
  const shift = (offset.startsWith("-") ? -1 : 1) * (hours! * 60 + minutes!) * 60_000;
  return new Date(Date.parse(moment) + shift).toISOString().slice(0, 19) + offset;
}
