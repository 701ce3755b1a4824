/**
 * What names an order: tills may restart their numbers each day in each store, so an order id alone is not enough.
 * The date is the business date, `YYYY-MM-DD`.
 */
export interface OrderName {
  storeId: string;
  orderDate: string;
  orderId: string;
}

/** A map by order. It nests maps instead of joining keys, because most calls share a date and a store. */
export class OrderMap<Value> {
  private readonly dates = new Map<string, Map<string, Map<string, Value>>>();

  get({ orderDate, storeId, orderId }: OrderName): Value | undefined {
    return this.dates.get(orderDate)?.get(storeId)?.get(orderId);
  }

  has(order: OrderName): boolean {
    return this.get(order) !== undefined;
  }

  /** Sets the value of an order; it must not be undefined. */
  set({ orderDate, storeId, orderId }: OrderName, value: Value): void {
    let stores = this.dates.get(orderDate);
    if (stores === undefined) this.dates.set(orderDate, (stores = new Map()));
    let orders = stores.get(storeId);
    if (orders === undefined) stores.set(storeId, (orders = new Map()));
    orders.set(orderId, value);
  }

  /** Yields the orders in the order in which their dates, then their stores, were first set. */
  *[Symbol.iterator](): Generator<[OrderName, Value]> {
    for (const [orderDate, stores] of this.dates) {
      for (const [storeId, orders] of stores) {
        for (const [orderId, value] of orders) yield [{ orderDate, storeId, orderId }, value];
      }
    }
  }
}

/** How people read an order's name, and how it is sorted: `2015-01-01 nyc-01 2015-000001`. */
export function showOrder({ orderDate, storeId, orderId }: OrderName): string {
  return `${orderDate} ${storeId} ${orderId}`;
}
