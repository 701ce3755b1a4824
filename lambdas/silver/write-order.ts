import type { Catalog } from "../domain/catalog.ts";
import { daypartOf } from "../domain/daypart.ts";
import type { Candidate } from "../domain/merge-orders.ts";
import type { TableWriter } from "../lake/table-writer.ts";

/** The part of a table writer that takes values. */
export type ColumnTarget = Pick<TableWriter, "string" | "int" | "long" | "boolean">;

/** Writes orders into silver's columns, enriched from menu and stores. Made once per data file. */
export function createOrderWriter(
  writer: ColumnTarget,
  { catalog, customerKey }: { catalog: Catalog; customerKey: (customerId: string) => string },
): (order: Candidate) => void {
  const writeOrder = createOrderColumns(writer, catalog, customerKey);
  const writeLine = createLineColumns(writer, catalog);
  return (order) => {
    const { lines } = order.event;
    writeOrder(order, lines.length);
    for (let index = 0; index < lines.length; index++) writeLine(lines, index);
  };
}

/** The columns that are the same on every line of an order. */
function createOrderColumns(writer: ColumnTarget, catalog: Catalog, customerKey: (customerId: string) => string) {
  const [orderId, status, daypart, storeId] = strings(writer, "order_id", "status", "daypart", "store_id");
  const [city, state, channel, customer] = strings(writer, "city", "state", "channel", "customer_key");
  const [producerId, shard, sequenceNumber] = strings(writer, "producer_id", "shard", "sequence_number");
  const revision = writer.int("revision");
  const hour = writer.int("order_hour");
  const orderedAt = writer.long("ordered_at");
  const emittedAt = writer.long("emitted_at");
  const arrivedAt = writer.long("arrived_at");
  const producerSeq = writer.long("producer_seq");
  const recordIndex = writer.int("record_index");
  const hash = writer.long("payload_hash");
  return (order: Candidate, lines: number): void => {
    const { event, position } = order;
    const store = catalog.stores.get(event.store_id)!;
    orderId!.push(event.order_id, lines);
    revision.push(event.revision, lines);
    status!.push(event.status, lines);
    orderedAt.push(order.orderedAt, lines);
    hour.push(order.orderHour, lines);
    daypart!.push(daypartOf(order.orderHour), lines);
    storeId!.push(event.store_id, lines);
    city!.push(store.city, lines);
    state!.push(store.state, lines);
    channel!.push(event.channel, lines);
    customer!.push(event.customer === undefined ? null : customerKey(event.customer.customer_id), lines);
    emittedAt.push(order.emittedAt, lines);
    arrivedAt.push(order.arrivedAt, lines);
    producerId!.push(event.producer.producer_id, lines);
    producerSeq.push(event.producer.seq, lines);
    shard!.push(position.shard, lines);
    sequenceNumber!.push(position.sequenceNumber, lines);
    recordIndex.push(position.recordIndex, lines);
    hash.push(order.payloadHash, lines);
  };
}

function createLineColumns(writer: ColumnTarget, catalog: Catalog) {
  const [pizzaId, typeId, name] = strings(writer, "pizza_id", "pizza_type_id", "pizza_name");
  const [category, size] = strings(writer, "category", "size");
  const [lineNo, quantity] = [writer.int("line_no"), writer.int("quantity")];
  const [unitPrice, unitCost] = [writer.int("unit_price_cents"), writer.int("unit_cost_cents")];
  const [revenue, cost, margin] = ["revenue_cents", "cost_cents", "margin_cents"].map((column) => writer.int(column));
  const firstOfOrder = writer.boolean("is_first_of_order");
  const firstOfPizza = writer.boolean("is_first_of_pizza");
  const firstOfType = writer.boolean("is_first_of_type");
  const firstOfCategory = writer.boolean("is_first_of_category");
  const firstOfSize = writer.boolean("is_first_of_size");
  return (lines: Candidate["event"]["lines"], index: number): void => {
    const line = lines[index]!;
    const pizza = catalog.pizzas.get(line.pizza_id)!;
    lineNo.push(line.line_no);
    pizzaId!.push(pizza.pizza_id);
    typeId!.push(pizza.pizza_type_id);
    name!.push(pizza.name);
    category!.push(pizza.category);
    size!.push(pizza.size);
    quantity.push(line.quantity);
    unitPrice.push(pizza.price_cents);
    unitCost.push(pizza.cost_cents);
    revenue!.push(line.quantity * pizza.price_cents);
    cost!.push(line.quantity * pizza.cost_cents);
    margin!.push(line.quantity * (pizza.price_cents - pizza.cost_cents));
    let [isNewPizza, isNewType, isNewCategory, isNewSize] = [true, true, true, true];
    for (let earlier = 0; earlier < index; earlier++) {
      const other = catalog.pizzas.get(lines[earlier]!.pizza_id)!;
      if (other === pizza) isNewPizza = false;
      if (other.pizza_type_id === pizza.pizza_type_id) isNewType = false;
      if (other.category === pizza.category) isNewCategory = false;
      if (other.size === pizza.size) isNewSize = false;
    }
    firstOfOrder.push(index === 0);
    firstOfPizza.push(isNewPizza);
    firstOfType.push(isNewType);
    firstOfCategory.push(isNewCategory);
    firstOfSize.push(isNewSize);
  };
}

function strings(writer: ColumnTarget, ...names: string[]) {
  return names.map((name) => writer.string(name));
}
