import type { ErrorObject } from "ajv";
import { type Catalog, validOn } from "./catalog.ts";
import type { OrderEvent } from "./generated/order-event.types.ts";
import { validate } from "./generated/order-event.validator.js";
import { findDuplicateKey } from "./duplicate-keys.ts";
import { parseInstant, usualForm, writtenOffsetMinutes } from "./parse-instant.ts";
import { limits, reject, type Rejection, type ReasonCode } from "./rejection-reasons.ts";
import { dateOf, hourOf, offsetMinutes } from "./wall-clock.ts";

/** The customer of an order as silver needs it: the id, and its customer key if that is already computed. */
export interface OrderCustomer {
  customer_id: string;
  customer_key?: string;
}

/** The fields of an order event that silver stores. */
export type OrderFacts = Pick<OrderEvent, "order_id" | "revision" | "status" | "store_id" | "channel" | "producer"> & {
  customer?: OrderCustomer | undefined;
  lines: readonly { line_no: number; pizza_id: string; quantity: number }[];
  promotion_code?: string | undefined;
  tip?: number | undefined;
};

/** A valid event with its parsed times. */
export interface CheckedOrder<Event extends OrderFacts = OrderEvent> {
  event: Event;
  /** Business date: the day of `orderedAt` on the store's clock, `YYYY-MM-DD`, whatever offset the till wrote. */
  orderDate: string;
  /** Hour of `orderedAt` on the store's clock, 0 to 23. */
  orderHour: number;
  /** UTC offset in minutes that the till wrote in `ordered_at`, if the store's time zone does not have it then. */
  wrongOffset: number | undefined;
  /** Microseconds since 1970, UTC. */
  orderedAt: number;
  /** Microseconds since 1970, UTC. */
  emittedAt: number;
}

/**
 * Parses and validates one event's text. `arrivedAt` is the stream's arrival time in microseconds since 1970. Comparing
 * `ordered_at` with it, and not with the current time, gives the same result on every replay.
 */
export function checkOrder(text: string, arrivedAt: number, catalog: Catalog): CheckedOrder | { rejection: Rejection } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return reject("not_json", "event", text);
  }
  const repeated = findDuplicateKey(text, value);
  if (repeated !== undefined) return reject("duplicate_key", `key ${JSON.stringify(repeated.slice(0, 80))}`);
  if (text.includes("null")) dropNulls(value);
  if (!validate(value)) return explainInvalid(value, validate.errors?.[0]);
  const event = value as OrderEvent;
  // In valid UTF-8, NUL and lone surrogates can only occur as escapes.
  if (text.includes("\\u") && hasForbiddenCharacter(event)) return reject("forbidden_character", "event");
  const checked = checkTimes(event, catalog);
  if ("rejection" in checked) return checked;
  const { orderDate, orderedAt } = checked;
  const wrong = checkLines(event, orderDate, catalog) ?? checkTip(event);
  if (wrong !== undefined) return wrong;
  if (orderedAt > arrivedAt + limits.futureMicros) return reject("future_time", "ordered_at", event.ordered_at);
  return checked;
}

/** The fields that an event may leave out, which a till may also write as null. */
const optional = ["customer", "promotion_code", "tip"];
const optionalOfCustomer = ["name", "email", "phone", "city", "postal_code"];

/** Removes optional fields that are null. */
function dropNulls(event: unknown): void {
  removeNulls(event, optional);
  removeNulls((Object(event) as { customer?: unknown }).customer, optionalOfCustomer);
}

function removeNulls(holder: unknown, names: readonly string[]): void {
  if (typeof holder !== "object" || holder === null) return;
  const fields = holder as Record<string, unknown>;
  for (const name of names) if (fields[name] === null) delete fields[name];
}

/** Checks store, pizzas and prices as they are on the order's day. */
function checkLines(event: OrderEvent, day: string, catalog: Catalog): { rejection: Rejection } | undefined {
  if (validOn(catalog.stores.get(event.store_id), day) === undefined)
    return reject("unknown_store", "store_id", event.store_id);
  for (const [index, line] of event.lines.entries()) {
    const pizza = validOn(catalog.pizzas.get(line.pizza_id), day);
    if (pizza === undefined) return reject("unknown_pizza", `lines[${index}].pizza_id`, line.pizza_id);
    const cents = centsOf(line.unit_price);
    if (cents === undefined) return reject("money_precision", `lines[${index}].unit_price`, line.unit_price);
    if (cents !== pizza.price_cents) return reject("price_off_menu", `lines[${index}].unit_price`, line.unit_price);
    for (let earlier = 0; earlier < index; earlier++) {
      if (event.lines[earlier]!.line_no === line.line_no) {
        return reject("duplicate_line_no", `lines[${index}].line_no`, line.line_no);
      }
    }
  }
  return undefined;
}

function checkTip({ tip }: OrderEvent): { rejection: Rejection } | undefined {
  return tip === undefined || centsOf(tip) !== undefined ? undefined : reject("money_precision", "tip", tip);
}

/** Converts dollars to cents; undefined if there are more than two decimals. */
function centsOf(dollars: number): number | undefined {
  const cents = Math.round(dollars * 100);
  // IEEE 754 division is correctly rounded, so it yields the same double as a literal with two decimals.
  return cents / 100 === dollars ? cents : undefined;
}

/** Reads the order's times, and the first on the clock of its store. */
function checkTimes(event: OrderEvent, { stores }: Catalog): CheckedOrder | { rejection: Rejection } {
  const [store] = stores.get(event.store_id) ?? [];
  if (store === undefined) return reject("unknown_store", "store_id", event.store_id);
  const orderedAt = parseInstant(event.ordered_at);
  if (orderedAt === undefined) return reject("invalid_time", "ordered_at", event.ordered_at);
  const emittedAt = parseInstant(event.emitted_at);
  if (emittedAt === undefined) return reject("invalid_time", "emitted_at", event.emitted_at);
  const milliseconds = Math.floor(orderedAt / 1000);
  const offset = offsetMinutes(store.time_zone, milliseconds);
  const wall = milliseconds + offset * 60_000;
  const written = Buffer.from(usualForm(event.ordered_at));
  const writtenOffset = writtenOffsetMinutes(written, written.length);
  return {
    event,
    orderDate: dateOf(wall),
    orderHour: hourOf(wall),
    wrongOffset: writtenOffset === offset ? undefined : writtenOffset,
    orderedAt,
    emittedAt,
  };
}

const timeForm = "write a time as 2015-01-02T12:00:00-05:00";

/** Finds the reason code for a value that violates the contract. Limits take precedence over the contract's rules. */
function explainInvalid(value: unknown, error: ErrorObject | undefined): { rejection: Rejection } {
  if (exceedsDepth(value, limits.depth)) return reject("too_deep", "event");
  if (hasForbiddenCharacter(value)) return reject("forbidden_character", "event");
  if (error === undefined) return reject("invalid_value", "event");
  const path = error.instancePath === "" ? "event" : error.instancePath.slice(1).replaceAll("/", ".");
  const found = at(value, error.instancePath);
  const { rejection } = reject(
    reasonOf(error, found),
    nameOf(error, path),
    typeof found === "object" ? undefined : found,
  );
  const isTime = path === "ordered_at" || path === "emitted_at";
  return { rejection: isTime ? { ...rejection, detail: `${rejection.detail}; ${timeForm}` } : rejection };
}

function nameOf(error: ErrorObject, path: string): string {
  const key: unknown = error.params["additionalProperty"] ?? error.params["missingProperty"];
  if (error.keyword === "false schema") return `event.${path}`;
  return typeof key === "string" ? `${path}.${key.slice(0, 80)}` : path;
}

function reasonOf({ keyword, instancePath }: ErrorObject, found: unknown): ReasonCode {
  // Version 1 of the contract forbids the keys of version 2 with a `false` schema.
  if (keyword === "additionalProperties" || keyword === "false schema") return "unknown_key";
  if (keyword === "required") return "missing_field";
  if (keyword === "maxItems") return "too_many_lines";
  if (instancePath === "/schema_version") return "unsupported_schema_version";
  if (keyword === "enum") return instancePath === "/status" ? "unknown_status" : "unknown_channel";
  if (typeof found === "number" && instancePath.endsWith("/quantity")) return "quantity_out_of_range";
  // JSON.parse turns an amount beyond the largest double into Infinity, which fails the schema's type check.
  if (typeof found === "number" && /\/(unit_price|tip)$/.test(instancePath)) return "money_out_of_range";
  return keyword === "type" ? "wrong_type" : "invalid_value";
}

function at(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split("/").slice(1)) {
    found = typeof found === "object" && found !== null ? (found as Record<string, unknown>)[key] : undefined;
  }
  return found;
}

/** Whether a value is nested deeper than `limit`; iterative, because the depth is not bounded yet. */
function exceedsDepth(value: unknown, limit: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const containers = level.filter((item): item is object => typeof item === "object" && item !== null);
    if (depth >= limit && containers.length > 0) return true;
    level = containers.flatMap((item) => Object.values(item) as unknown[]);
  }
  return false;
}

/**
 * Whether any text in `value`, keys included, contains NUL or a lone surrogate; `value` is at most `limits.depth` deep.
 */
function hasForbiddenCharacter(value: unknown): boolean {
  if (typeof value === "string") return value.includes("\0") || !value.isWellFormed();
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, item]) => hasForbiddenCharacter(key) || hasForbiddenCharacter(item));
}
