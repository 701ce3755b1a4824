import { parquetWriteBuffer, type BasicType } from "hyparquet-writer";
import { daypartOf, validOn, type Catalog } from "../pipeline/domain/catalog.ts";
import type { OrderEvent } from "../pipeline/domain/generated/order-event.types.ts";
import type { ObjectStore } from "../pipeline/ports.ts";
import { silverColumns } from "../pipeline/silver/columns.ts";

/** A row of silver as an object. */
export type PlainRow = Record<string, string | number | bigint | boolean | null>;

/** The fields of an order event that the rows need, as parsed by zod or JSON.parse. */
export type PlainEvent = Pick<
  OrderEvent,
  "order_id" | "revision" | "status" | "ordered_at" | "emitted_at" | "store_id" | "channel" | "producer"
> & {
  customer?: { customer_id: string } | undefined;
  lines: { line_no: number; pizza_id: string; quantity: number }[];
};

/** Stream position of an event. */
export interface PlainOrigin {
  shard: string;
  sequence_number: string;
  record_index: number;
  arrived_at: bigint;
}

/** Silver's columns without the payload hash, and with the customer id instead of the customer key. */
const columns = silverColumns.filter(({ name }) => name !== "payload_hash");
const types = { string: "STRING", int: "INT32", long: "INT64", boolean: "BOOLEAN", timestamp: "INT64" } as const;

/** One row per order line, enriched from menu and stores. */
export function plainRows(event: PlainEvent, origin: PlainOrigin, { pizzas, stores }: Catalog): PlainRow[] {
  const day = event.ordered_at.slice(0, 10);
  const store = validOn(stores.get(event.store_id), day)!;
  const hour = Number(event.ordered_at.slice(11, 13));
  const seen = new Set<string>();
  const isFirst = (mark: string) => !seen.has(mark) && Boolean(seen.add(mark));
  return event.lines.map((line, index) => {
    const pizza = validOn(pizzas.get(line.pizza_id), day)!;
    const revenue = line.quantity * pizza.price_cents;
    const cost = line.quantity * pizza.cost_cents;
    return {
      order_id: event.order_id,
      line_no: line.line_no,
      revision: event.revision,
      status: event.status,
      ordered_at: BigInt(Date.parse(event.ordered_at)) * 1000n,
      order_hour: hour,
      daypart: daypartOf(hour),
      store_id: event.store_id,
      city: store.city,
      state: store.state,
      channel: event.channel,
      customer_key: event.customer?.customer_id ?? null,
      pizza_id: pizza.pizza_id,
      pizza_type_id: pizza.pizza_type_id,
      pizza_name: pizza.name,
      category: pizza.category,
      size: pizza.size,
      quantity: line.quantity,
      unit_price_cents: pizza.price_cents,
      unit_cost_cents: pizza.cost_cents,
      revenue_cents: revenue,
      cost_cents: cost,
      margin_cents: revenue - cost,
      is_first_of_order: index === 0,
      is_first_of_pizza: isFirst(`pizza ${pizza.pizza_id}`),
      is_first_of_type: isFirst(`type ${pizza.pizza_type_id}`),
      is_first_of_category: isFirst(`category ${pizza.category}`),
      is_first_of_size: isFirst(`size ${pizza.size}`),
      emitted_at: BigInt(Date.parse(event.emitted_at)) * 1000n,
      producer_id: event.producer.producer_id,
      producer_seq: BigInt(event.producer.seq),
      ...origin,
    };
  });
}

/** Writes one Parquet file per day with hyparquet-writer's defaults (snappy); returns the bytes. */
export async function writePlainRows(store: ObjectStore, name: string, days: Map<string, PlainRow[]>): Promise<number> {
  let bytes = 0;
  for (const [date, rows] of days) {
    const columnData = columns.map((column) => ({
      name: column.name,
      type: types[column.type] satisfies BasicType,
      data: rows.map((row) => row[column.name]),
      nullable: "nullable" in column,
    }));
    const body = new Uint8Array(parquetWriteBuffer({ columnData }));
    await store.put(`plain-silver/order_date=${date}/${name}.parquet`, body);
    bytes += body.length;
  }
  return bytes;
}
