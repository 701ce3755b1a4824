import { readJsonText } from "./json-text.ts";
import { limits } from "./rejection-reasons.ts";

const orderIdPattern = /"order_id"\s*:\s*"([\x21-\x7e]{1,64}?)"/g;
const storeIdPattern = /"store_id"\s*:\s*"([^"\\]{1,64})"/;
const orderedAtPattern = /"ordered_at"\s*:\s*"([^"\\]{1,64})"/;
const noSalePattern = /"status"\s*:\s*"(?:cancelled|refunded)"/;
/** Two numbers of a line, in either order. The character after the second proves that it is not truncated. */
const amountPattern =
  /"quantity"\s*:\s*(\d{1,4})\s*,\s*"unit_price"\s*:\s*(\d{1,6}(?:\.\d{1,2})?)\s*[,}]|"unit_price"\s*:\s*(\d{1,6}(?:\.\d{1,2})?)\s*,\s*"quantity"\s*:\s*(\d{1,4})\s*[,}]/g;
const openBrace = 0x7b;
const mostReadings = 8;
/** As many as one record may hold. */
const mostOrders = limits.batchEvents;
const mostCents = 10_000_00 * 100 * 200;

/** What can be seen of one order in a text that is not one readable event; null where nothing can. */
export interface SalvagedOrder {
  orderId: string;
  storeId: string | null;
  orderedAt: string | null;
  cents: number | null;
}

/** Whether a JSON value is one event: an object that names its order. */
export function isOneEvent(value: unknown): boolean {
  return typeof (Object(value) as { order_id?: unknown }).order_id === "string";
}

/** Parses JSON; undefined if the text is not valid JSON. */
export function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Finds the orders in a text that holds several events, or one that is damaged: every readable object that names an
 * order, and what the text between them shows. An order comes once. Of a text with more orders than a record may hold it
 * returns that many and one without an id, because their names alone could fill the memory.
 */
export function salvageOrders(given: string): SalvagedOrder[] {
  const text = readable(given);
  if (!text.includes('"order_id"')) return [];
  const bytes = Buffer.from(text);
  const found = new Map<string, SalvagedOrder>();
  const add = (order: SalvagedOrder) => {
    if (found.size <= mostOrders) found.set(`${order.storeId} ${order.orderedAt} ${order.orderId}`, order);
  };
  let passed = 0;
  // Objects that are open to the end would be read once for each level.
  let left = bytes.length * mostReadings;
  for (
    let at = bytes.indexOf(openBrace);
    at !== -1 && left > 0 && found.size <= mostOrders;
    at = bytes.indexOf(openBrace, at)
  ) {
    const { order, end } = readOrderAt(bytes, at);
    left -= end - at;
    if (order === undefined) at++;
    else {
      for (const seen of seenIn(bytes.toString("utf8", passed, at))) add(seen);
      add(order);
      at = passed = end;
    }
  }
  if (found.size <= mostOrders) for (const seen of seenIn(bytes.toString("utf8", passed))) add(seen);
  const orders = [...found.values()];
  return orders.length <= mostOrders ? orders : [...orders.slice(0, mostOrders), unnamedOrder];
}

/** Stands for the orders that are not listed. */
const unnamedOrder: SalvagedOrder = { orderId: "...", storeId: null, orderedAt: null, cents: null };

/** Text in UTF-16 or UTF-32 shows what it holds without its zeros, and JSON in a string without its backslashes. */
function readable(text: string): string {
  const shown = text.replaceAll("\0", "");
  const plain = shown.length * 4 < text.length * 3 ? shown : text;
  return plain.includes(String.raw`\"order_id\"`) ? plain.replaceAll(String.raw`\"`, '"') : plain;
}

/** Reads the object at an offset, and returns where the reading ended; undefined if it is not an order. */
function readOrderAt(bytes: Buffer, start: number): { order: SalvagedOrder | undefined; end: number } {
  const { end, brokenAt } = readJsonText(bytes, start, 0);
  const event = end === -1 ? undefined : parseText(bytes.toString("utf8", start, end));
  if (!isOneEvent(event)) return { order: undefined, end: Math.max(end, brokenAt) };
  const { order_id, store_id, ordered_at } = event as Record<string, unknown>;
  const textOrNull = (value: unknown) => (typeof value === "string" ? value : null);
  const cents = amountOf(event) ?? null;
  return {
    order: { orderId: String(order_id), storeId: textOrNull(store_id), orderedAt: textOrNull(ordered_at), cents },
    end,
  };
}

/** Divides damaged text at each order id; what stands before the first one belongs to it too. */
function seenIn(text: string): SalvagedOrder[] {
  const starts: { index: number; orderId: string }[] = [];
  for (const { index, 1: orderId } of text.matchAll(orderIdPattern)) {
    if (starts.push({ index, orderId: orderId! }) > mostOrders) break;
  }
  return starts.map(({ index, orderId }, n) => {
    const part = text.slice(n === 0 ? 0 : index, starts[n + 1]?.index);
    return {
      orderId,
      storeId: storeIdPattern.exec(part)?.[1] ?? null,
      orderedAt: orderedAtPattern.exec(part)?.[1] ?? null,
      cents: noSalePattern.test(part) ? 0 : centsIn(part),
    };
  });
}

/** Returns the sum of the amounts in the text of an order; null without one. */
function centsIn(text: string): number | null {
  let cents: number | null = null;
  for (const [, a, b, c, d] of text.matchAll(amountPattern)) {
    cents = (cents ?? 0) + Number(a ?? d) * Math.round(Number(b ?? c) * 100);
  }
  return cents;
}

/**
 * Returns the value of an order according to its event, in cents: the sum of quantity × unit price, or 0 for a
 * cancelled or refunded order. Undefined if the lines cannot be read or the amount is implausibly large.
 */
export function amountOf(event: unknown): number | undefined {
  const { lines, status } = Object(event) as { lines?: unknown; status?: unknown };
  if (!Array.isArray(lines)) return undefined;
  if (status === "cancelled" || status === "refunded") return 0;
  let cents = 0;
  for (const line of lines) {
    const { quantity, unit_price } = Object(line) as { quantity?: unknown; unit_price?: unknown };
    if (typeof quantity !== "number" || typeof unit_price !== "number") return undefined;
    cents += quantity * Math.round(unit_price * 100);
  }
  return isPlausible(cents) ? cents : undefined;
}

/** Returns the sum of all amounts that a text shows, in cents; undefined if it shows none. */
export function amountIn(text: string): number | undefined {
  const event = parseText(text);
  if (isOneEvent(event) || (event !== undefined && amountOf(event) !== undefined)) return amountOf(event);
  const amounts = salvageOrders(text).flatMap(({ cents }) => cents ?? []);
  const sum = amounts.reduce((total, cents) => total + cents, 0);
  return amounts.length > 0 && Number.isSafeInteger(sum) ? sum : undefined;
}

function isPlausible(cents: number): boolean {
  return Number.isSafeInteger(cents) && Math.abs(cents) <= mostCents;
}
