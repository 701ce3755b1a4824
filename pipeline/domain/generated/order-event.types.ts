// Generated from order-event.schema.json by scripts/generate.ts. Do not edit.
/**
 * One order, as a till knows it. A later revision of the same order carries the whole order again and replaces the earlier one.
 */
export interface OrderEvent {
  /**
   * Version of this contract; promotion_code and tip came with 2
   */
  schema_version: 1 | 2;
  /**
   * Unique in the store on its business date
   */
  order_id: string;
  /**
   * 0 for the first, then rising by one
   */
  revision: number;
  /**
   * Only placed and amended orders are sales
   */
  status: "placed" | "amended" | "cancelled" | "refunded";
  /**
   * ISO 8601 with offset: the moment of the order, the same in every revision
   */
  ordered_at: string;
  /**
   * ISO 8601 with offset: when the till sent this revision
   */
  emitted_at: string;
  /**
   * Key of data/stores.json
   */
  store_id: string;
  /**
   * How the order reached the store
   */
  channel: "dine_in" | "takeaway" | "delivery" | "online";
  /**
   * Absent or null where the guest gave no name
   */
  customer?: {
    customer_id: string;
    name?: string;
    email?: string;
    phone?: string;
    city?: string;
    postal_code?: string;
  };
  /**
   * What was ordered; at least one line, in every revision
   *
   * @minItems 1
   * @maxItems 200
   */
  lines: [OrderLine, ...OrderLine[]];
  /**
   * What the guest redeemed; no part of the price
   */
  promotion_code?: string;
  /**
   * US dollars beyond the prices, at most two decimals; no revenue
   */
  tip?: number;
  /**
   * The till that sent the event, and its own counter
   */
  producer: {
    /**
     * The till; begins with replay: or import: where the orders are history
     */
    producer_id: string;
    /**
     * Rises by one with every event of this producer, from 1
     */
    seq: number;
  };
}
export interface OrderLine {
  /**
   * Unique in the order
   */
  line_no: number;
  /**
   * Key of data/menu.json
   */
  pizza_id: string;
  quantity: number;
  /**
   * US dollars, at most two decimals
   */
  unit_price: number;
}
