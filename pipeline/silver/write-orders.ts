import { hash as digest } from "node:crypto";
import { type Catalog, type Pizza, type Store, daypartOf, validOn } from "../domain/catalog.ts";
import type { OrderCustomer } from "../domain/check-order.ts";
import type { Candidate } from "../domain/merge-orders.ts";
import type { TableWriter, TextTarget } from "../parquet/table-writer.ts";

/** The part of a table writer that accepts values. */
export type ColumnTarget = Pick<TableWriter, "string" | "int" | "long" | "boolean">;

/**
 * Returns a function that writes an order's lines into silver's columns, enriched with the menu and store versions that
 * are valid on the order's day. Create one per data file.
 */
export function createOrderWriter(
  writer: ColumnTarget,
  { catalog, customerKey }: { catalog: Catalog; customerKey: (customerId: string) => string },
): (order: Candidate) => void {
  const writeOrder = createOrderColumns(writer, catalog, customerKey);
  const writeLine = createLineColumns(writer, catalog);
  const writeMarks = createMarkColumns(writer);
  return (order) => {
    const { lines } = order.event;
    writeOrder(order, lines.length);
    for (const line of lines) writeMarks(writeLine(line, order.orderDate), line === lines[0]);
  };
}

/** The columns with the same value on every line of an order. */
function createOrderColumns(writer: ColumnTarget, catalog: Catalog, customerKey: (customerId: string) => string) {
  const [orderId, customer] = [writer.string("order_id"), writer.string("customer_key")];
  const [producerId, shard] = [writer.string("producer_id"), writer.string("shard")];
  const sequenceNumber = writer.string("sequence_number");
  const writeStatus = textsBy(texts(writer, "status"), (status: string) => [status]);
  const writeChannel = textsBy(texts(writer, "channel"), (channel: string) => [channel]);
  const writeDaypart = textsBy(texts(writer, "daypart"), (hour: number) => [daypartOf(hour)]);
  const writeStore = textsBy(texts(writer, "store_id", "city", "state"), ({ store_id, city, state }: Store) => [
    store_id,
    city,
    state,
  ]);
  const revision = writer.int("revision");
  const hour = writer.int("order_hour");
  const orderedAt = writer.long("ordered_at");
  const emittedAt = writer.long("emitted_at");
  const arrivedAt = writer.long("arrived_at");
  const producerSeq = writer.long("producer_seq");
  const recordIndex = writer.int("record_index");
  const hash = writer.long("payload_hash");
  const tillOffset = writer.int("till_offset_minutes");
  const [promotionCode, tip] = [writer.string("promotion_code"), writer.int("tip_cents")];
  const keyOf = ({ customer_id, customer_key }: OrderCustomer) => customer_key ?? customerKey(customer_id);
  /** Writes the tip on the first line only, so that the sum over lines equals the sum over orders. */
  const writeTip = (dollars: number | undefined, lines: number): void => {
    if (dollars === undefined) return tip.push(null, lines);
    tip.push(Math.round(dollars * 100));
    if (lines > 1) tip.push(null, lines - 1);
  };
  return (order: Candidate, lines: number): void => {
    const { event, position } = order;
    orderId.push(event.order_id, lines);
    revision.push(event.revision, lines);
    writeStatus(event.status, lines);
    orderedAt.push(order.orderedAt, lines);
    hour.push(order.orderHour, lines);
    writeDaypart(order.orderHour, lines);
    writeStore(validOn(catalog.stores.get(event.store_id), order.orderDate)!, lines);
    writeChannel(event.channel, lines);
    customer.push(event.customer === undefined ? null : keyOf(event.customer), lines);
    emittedAt.push(order.emittedAt, lines);
    arrivedAt.push(order.arrivedAt, lines);
    producerId.push(event.producer.producer_id, lines);
    producerSeq.push(event.producer.seq, lines);
    shard.push(position.shard, lines);
    sequenceNumber.push(position.sequenceNumber, lines);
    recordIndex.push(position.recordIndex, lines);
    hash.push(order.payloadHash, lines);
    promotionCode.push(event.promotion_code ?? null, lines);
    writeTip(event.tip, lines);
    tillOffset.push(order.wrongOffset ?? null, lines);
  };
}

/** The columns that depend on the line and its day; the returned function returns the line's pizza. */
function createLineColumns(writer: ColumnTarget, { pizzas }: Catalog) {
  const names = ["pizza_id", "pizza_type_id", "pizza_name", "category", "size"];
  const writeTexts = textsBy(texts(writer, ...names), ({ pizza_id, pizza_type_id, name, category, size }: Pizza) => [
    pizza_id,
    pizza_type_id,
    name,
    category,
    size,
  ]);
  const [lineNo, quantity] = [writer.int("line_no"), writer.int("quantity")];
  const [unitPrice, unitCost] = [writer.int("unit_price_cents"), writer.int("unit_cost_cents")];
  const revenue = writer.int("revenue_cents");
  const cost = writer.int("cost_cents");
  const margin = writer.int("margin_cents");
  return (line: Candidate["event"]["lines"][number], orderDate: string): Pizza => {
    const pizza = validOn(pizzas.get(line.pizza_id), orderDate)!;
    lineNo.push(line.line_no);
    writeTexts(pizza, 1);
    quantity.push(line.quantity);
    unitPrice.push(pizza.price_cents);
    unitCost.push(pizza.cost_cents);
    revenue.push(line.quantity * pizza.price_cents);
    cost.push(line.quantity * pizza.cost_cents);
    margin.push(line.quantity * (pizza.price_cents - pizza.cost_cents));
    return pizza;
  };
}

/** The columns that mark the first line of an order with some pizza, type, category or size. */
function createMarkColumns(writer: ColumnTarget) {
  const firstOfOrder = writer.boolean("is_first_of_order");
  const firstOfPizza = writer.boolean("is_first_of_pizza");
  const firstOfType = writer.boolean("is_first_of_type");
  const firstOfCategory = writer.boolean("is_first_of_category");
  const firstOfSize = writer.boolean("is_first_of_size");
  // Reset the count, not the array: emptying an array frees its memory.
  const earlier: Pizza[] = [];
  let count = 0;
  return (pizza: Pizza, isFirst: boolean): void => {
    if (isFirst) count = 0;
    let [isNewPizza, isNewType, isNewCategory, isNewSize] = [true, true, true, true];
    for (let index = 0; index < count; index++) {
      const other = earlier[index]!;
      if (other === pizza) isNewPizza = false;
      if (other.pizza_type_id === pizza.pizza_type_id) isNewType = false;
      if (other.category === pizza.category) isNewCategory = false;
      if (other.size === pizza.size) isNewSize = false;
    }
    earlier[count++] = pizza;
    firstOfOrder.push(isFirst);
    firstOfPizza.push(isNewPizza);
    firstOfType.push(isNewType);
    firstOfCategory.push(isNewCategory);
    firstOfSize.push(isNewSize);
  };
}

/**
 * Writes columns whose texts all depend on one key: their dictionary entries are looked up once per key, not per row.
 */
function textsBy<Key>(columns: readonly TextTarget[], textsOf: (key: Key) => readonly string[]) {
  const known = new Map<Key, readonly number[]>();
  return (key: Key, times: number): void => {
    let indices = known.get(key);
    if (indices === undefined) {
      const found = textsOf(key);
      known.set(key, (indices = columns.map((column, index) => column.dictionaryIndex(found[index]!))));
    }
    for (let index = 0; index < columns.length; index++) columns[index]!.pushIndex(indices[index]!, times);
  };
}

function texts(writer: ColumnTarget, ...names: string[]): TextTarget[] {
  return names.map((name) => writer.string(name));
}

/**
 * Returns a function from customer id to customer key, the pseudonym that silver and gold store: the first 64 bits of
 * SHA-512/256 over the secret and the id, as 16 hexadecimal digits. The state of SHA-512/256 is twice as wide as its
 * output, so prefixing the secret is safe against length extension; HMAC would take three times as long. An id keeps
 * its key as long as the secret stays the same. Without the secret, keys can be neither computed nor tested.
 */
export function createCustomerKey(secret: string): (customerId: string) => string {
  return (customerId) => digest("sha512-256", `${secret}\n${customerId}`, "hex").slice(0, 16);
}
