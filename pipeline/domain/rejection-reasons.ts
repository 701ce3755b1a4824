/** Why a record is refused: a closed list. A code never changes its meaning; new ones are added at the end. */
export const reasons = {
  batch_corrupt: "the compressed batch cannot be unpacked, or was cut short",
  batch_too_large: "the batch unpacks to more than the limit",
  event_too_large: "the event is longer than the limit",
  bad_utf8: "the bytes are not valid UTF-8",
  not_json: "the text is not JSON",
  too_deep: "objects and arrays are nested deeper than the limit",
  too_many_lines: "the order has more lines than the limit",
  forbidden_character: "a text holds NUL or half of a surrogate pair, which PostgreSQL refuses",
  unknown_key: "the event has a key that the contract does not know",
  missing_field: "a field that the contract requires is missing",
  wrong_type: "a field has another type than the contract says",
  invalid_value: "a field breaks a limit of the contract",
  unsupported_schema_version: "this version of the contract is not known here",
  unknown_status: "the status is not one of placed, amended, cancelled, refunded",
  unknown_channel: "the channel is not one of dine_in, takeaway, delivery, online",
  unknown_store: "the store is not in the list of stores",
  unknown_pizza: "the pizza is not on the menu",
  quantity_out_of_range: "the quantity is not a whole number from 1 to 100",
  money_out_of_range: "the amount is negative, too large or not a number",
  money_precision: "the amount has more than two decimals",
  price_off_menu: "the price is not the menu's",
  duplicate_line_no: "two lines of the order have the same number",
  invalid_time:
    "a time is not ISO 8601 with an offset, no such moment exists, or it lies outside the years 2000 to 2199",
  future_time: "the order lies further ahead of its arrival than clocks may differ",
  conflicting_payload: "another payload was accepted earlier under the same order and revision",
  ordered_at_changed: "the time of the order differs between its revisions",
} as const;

export type ReasonCode = keyof typeof reasons;

/** What is refused and why; `detail` names the place and the value. */
export interface Rejection {
  reason: ReasonCode;
  detail: string;
}

/** A refusal as data; values in details are cut short. */
export function reject(reason: ReasonCode, place: string, value?: unknown): { rejection: Rejection } {
  const shown = value === undefined ? "" : ` ${abbreviate(value)}`;
  return { rejection: { reason, detail: `${place}${shown}: ${reasons[reason]}` } };
}

function abbreviate(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Limits of what is let in. Bytes and counts; each has a reason code of its own. */
export const limits = {
  /** One event, bytes of its JSON text. */
  eventBytes: 64 * 1024,
  /** One batch, unpacked. */
  batchBytes: 16 * 1024 * 1024,
  /** Nesting of objects and arrays. */
  depth: 16,
  /** Lines of one order; the contract's `maxItems` says the same. */
  lines: 200,
  /** How far a till's clock may run ahead of the stream's, microseconds. */
  futureMicros: 5 * 60 * 1_000_000,
} as const;
