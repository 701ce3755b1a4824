import type { Catalog } from "../domain/catalog.ts";
import type { OrderName } from "../domain/order-map.ts";
import { parseInstant } from "../domain/parse-instant.ts";
import { isOneEvent, parseText, salvageOrders } from "../domain/salvage-orders.ts";
import { dateOf, wallOf } from "../domain/wall-clock.ts";

/** An order that rejected bytes show; store and date are null if they cannot be read. */
export type SeenOrder = Pick<OrderName, "orderId"> & { [Field in "storeId" | "orderDate"]: string | null };

/** Text without any of these shows no order: a key may be escaped. */
const marks = ["order_id", "\0", "\\u"];
const unknown = "unknown";
const introduction = "; orders in it: ";
const listed = /(\S+) of (.+?) on (\S+)(?:, |$)/g;

/**
 * Returns the orders of rejected bytes that hold several of them, so that all can be named and waited for; none if the
 * bytes are one event, or show one order at most.
 */
export function readOrders(text: string, { stores }: Pick<Catalog, "stores">): SeenOrder[] {
  // Parsing a long text that is damaged at its end takes long. Zeros may stand between the characters of a key.
  if (!marks.some((mark) => text.includes(mark)) || isOneEvent(parseText(text))) return [];
  const orders = salvageOrders(text).map(({ orderId, storeId, orderedAt }) => {
    const orderDate = businessDate(stores, { storeId, orderedAt });
    return { orderId, storeId, orderDate };
  });
  const distinct = [...new Map(orders.map((order) => [showSeen(order), order])).values()];
  return distinct.length > 1 ? distinct : [];
}

/** Returns the business date of an order, or null if its store or time cannot be read. */
export function businessDate(
  stores: Catalog["stores"],
  { storeId, orderedAt }: { storeId: string | null; orderedAt: string | null },
): string | null {
  const [store] = stores.get(storeId ?? "") ?? [];
  const micros = parseInstant(orderedAt ?? "");
  if (store === undefined || micros === undefined) return null;
  return dateOf(wallOf(store.time_zone, Math.floor(micros / 1000)));
}

/** Writes orders for the end of a row's detail. */
export function listOrders(orders: readonly SeenOrder[]): string {
  return introduction + orders.map(showSeen).join(", ");
}

/** Reads the orders that a row's detail lists; none if it lists none. */
export function readList(detail: string): SeenOrder[] {
  const start = detail.lastIndexOf(introduction);
  if (start === -1) return [];
  const orNull = (text: string) => (text === unknown ? null : text);
  return [...detail.slice(start + introduction.length).matchAll(listed)].map(([, orderId, storeId, orderDate]) => ({
    orderId: orderId!,
    storeId: orNull(storeId!),
    orderDate: orNull(orderDate!),
  }));
}

function showSeen({ orderId, storeId, orderDate }: SeenOrder): string {
  return `${orderId} of ${storeId ?? unknown} on ${orderDate ?? unknown}`;
}
