/** One column of a Delta table. `comment` is stored in the table's schema; a column is required unless `nullable`. */
export interface Column {
  readonly name: string;
  readonly type: "string" | "int" | "long" | "boolean" | "timestamp";
  readonly nullable?: true;
  readonly comment: string;
}

export const partitionColumn = "order_date";

/** The columns of `silver/order_lines`; grain: one row per line of an order's latest revision. */
export const silverColumns = [
  { name: "order_id", type: "string", comment: "The till's name for the order; unique in a store on a day" },
  { name: "line_no", type: "int", comment: "Number of the line within its order, from 1" },
  { name: "revision", type: "int", comment: "Revision of the order that this row shows; always the latest" },
  { name: "status", type: "string", comment: "placed, amended, cancelled or refunded; only the first two are sales" },
  { name: "ordered_at", type: "timestamp", comment: "When the guest ordered, UTC" },
  { name: "order_hour", type: "int", comment: "Hour of the day on the store's own clock, 0 to 23" },
  {
    name: "daypart",
    type: "string",
    comment: "lunch (5 to 15), afternoon (to 17), dinner (to 21) or late, by order_hour",
  },
  { name: "store_id", type: "string", comment: "The store that sold" },
  { name: "city", type: "string", comment: "The store's city" },
  { name: "state", type: "string", comment: "The store's state" },
  { name: "channel", type: "string", comment: "dine_in, takeaway, delivery or online" },
  {
    name: "customer_key",
    type: "string",
    nullable: true,
    comment: "Keyed token of the customer id; null where the guest gave none",
  },
  { name: "pizza_id", type: "string", comment: "Type and size, the key of the menu" },
  { name: "pizza_type_id", type: "string", comment: "The pizza without its size" },
  { name: "pizza_name", type: "string", comment: "Its name on the menu" },
  { name: "category", type: "string", comment: "Chicken, Classic, Supreme or Veggie" },
  { name: "size", type: "string", comment: "S, M, L, XL or XXL" },
  { name: "quantity", type: "int", comment: "Pizzas on this line" },
  { name: "unit_price_cents", type: "int", comment: "Menu price of one, US cents" },
  { name: "unit_cost_cents", type: "int", comment: "Ingredients of one, US cents; invented" },
  { name: "revenue_cents", type: "int", comment: "quantity x unit_price_cents" },
  { name: "cost_cents", type: "int", comment: "quantity x unit_cost_cents" },
  { name: "margin_cents", type: "int", comment: "revenue_cents - cost_cents" },
  { name: "is_first_of_order", type: "boolean", comment: "True on one line of each order: its sum counts orders" },
  { name: "is_first_of_pizza", type: "boolean", comment: "True on one line per pizza_id of the order" },
  { name: "is_first_of_type", type: "boolean", comment: "True on one line per pizza_type_id of the order" },
  { name: "is_first_of_category", type: "boolean", comment: "True on one line per category of the order" },
  { name: "is_first_of_size", type: "boolean", comment: "True on one line per size of the order" },
  { name: "emitted_at", type: "timestamp", comment: "When the till sent this revision, UTC" },
  { name: "arrived_at", type: "timestamp", comment: "When the stream took it, UTC" },
  { name: "producer_id", type: "string", comment: "The till" },
  { name: "producer_seq", type: "long", comment: "The till's own counter; a gap proves a loss" },
  { name: "shard", type: "string", comment: "Stream position: shard" },
  { name: "sequence_number", type: "string", comment: "Stream position: sequence number of the record, decimal" },
  { name: "record_index", type: "int", comment: "Stream position: index of the event within its record" },
  { name: "payload_hash", type: "long", comment: "First 64 bits of the SHA-256 of the event's bytes, signed" },
  {
    name: "promotion_code",
    type: "string",
    nullable: true,
    comment: "What the guest redeemed; null where none, and in events of schema version 1",
  },
  {
    name: "tip_cents",
    type: "int",
    nullable: true,
    comment: "Tip of the order, US cents, on its line of is_first_of_order; else null. No part of revenue_cents",
  },
  {
    name: "till_offset_minutes",
    type: "int",
    nullable: true,
    comment: "UTC offset that the till wrote, minutes, where the store's time zone does not have it then; else null",
  },
] as const satisfies readonly Column[];

export type SilverColumnName = (typeof silverColumns)[number]["name"];
