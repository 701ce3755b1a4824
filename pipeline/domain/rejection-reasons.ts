/** The closed list of rejection reasons. A code never changes its meaning; new codes are added at the end. */
export const reasons = {
  batch_corrupt: "the batch cannot be unpacked to its last byte, is truncated, or holds another batch",
  batch_too_large: "the batch unpacks to more bytes, events or empty lines than the limit",
  event_too_large: "the event is longer than the limit",
  bad_utf8: "the bytes are not valid UTF-8",
  not_json: "the text is not JSON",
  too_deep: "objects and arrays are nested deeper than the limit",
  too_many_lines: "the order has more lines than the limit",
  forbidden_character: "a text holds NUL or half of a surrogate pair, which PostgreSQL rejects",
  unknown_key: "the event has a key that is not in the contract",
  missing_field: "a field that the contract requires is missing",
  wrong_type: "a field has a different type than in the contract",
  invalid_value: "a field breaks a limit of the contract",
  unsupported_schema_version: "this version of the contract is not supported",
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
    "a time is not written as 2015-01-02T12:00:00-05:00, no such moment exists, or it lies outside the years 2000 to 2199",
  future_time: "the order lies further ahead of its arrival than clocks may differ",
  conflicting_payload: "another payload of the same order and revision was sent earlier",
  ordered_at_changed:
    "the order has an earlier time in another event: its time never changes, and two tills must not share a number",
  duplicate_key: "an object has the same key twice, so that readers may take either value",
} as const;

export type ReasonCode = keyof typeof reasons;

/** Why an event or a record is rejected; `detail` names the field and its value. */
export interface Rejection {
  reason: ReasonCode;
  detail: string;
}

/** Returns a rejection; a long value is truncated in its detail. */
export function reject(reason: ReasonCode, field: string, value?: unknown): { rejection: Rejection } {
  const shown = value === undefined ? "" : ` ${abbreviate(value)}`;
  return { rejection: { reason, detail: `${field}${shown}: ${reasons[reason]}` } };
}

function abbreviate(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Limits on what is accepted; each has its own reason code. */
export const limits = {
  /** One event's JSON text, in bytes. */
  eventBytes: 64 * 1024,
  /** One unpacked batch, in bytes. */
  batchBytes: 16 * 1024 * 1024,
  /** Events of one record; a batch of real ones reaches its limit in bytes first. */
  batchEvents: 100_000,
  /** Lines of one record without an event. */
  emptyLines: 10_000,
  /** Nesting depth of objects and arrays. */
  depth: 16,
  /** Lines of one order, as in the contract's `maxItems`. */
  lines: 200,
  /** How far a till's clock may be ahead of the stream's, in microseconds. */
  futureMicros: 5 * 60 * 1_000_000,
} as const;
