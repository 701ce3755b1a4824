import { silverColumns, type Column } from "../../../pipeline/silver/columns.ts";
import type { WrittenTable } from "../../../pipeline/parquet/file.ts";
import { createTableWriter, type TableWriter } from "../../../pipeline/parquet/table-writer.ts";

export type Row = Readonly<Record<string, string | number | bigint | boolean | null>>;

/** A deterministic generator of numbers in [0, 1), by seed. */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const categories = ["Chicken", "Classic", "Supreme", "Veggie"];

/**
 * Creates silver rows like those of a day's orders: order values repeat, pizzas come from a menu, hashes are random.
 */
export function orderLines({
  orders,
  seed = 1,
  firstOrder = 1,
  revision = 0,
}: {
  orders: number;
  seed?: number;
  firstOrder?: number;
  revision?: number;
}): Row[] {
  const random = createRandom(seed);
  const pick = (count: number) => Math.floor(random() * count);
  const rows: Row[] = [];
  let orderedAt = 1_420_131_516_000_000;
  for (let order = firstOrder; order < firstOrder + orders; order++) {
    orderedAt += pick(40) * 1_000_000;
    const store = pick(10);
    const shared = {
      order_id: `2015-${String(order).padStart(6, "0")}`,
      revision,
      status: "placed",
      ordered_at: orderedAt,
      order_hour: new Date(orderedAt / 1000).getUTCHours(),
      daypart: "lunch",
      store_id: `nyc-${store}`,
      city: `City ${store % 5}`,
      state: store < 5 ? "NY" : "NJ",
      channel: ["dine_in", "takeaway", "delivery", "online"][pick(4)]!,
      customer_key: pick(10) < 6 ? `c${String(pick(50_000)).padStart(23, "0")}` : null,
      emitted_at: orderedAt + pick(1000) * 1000,
      arrived_at: 1_420_131_516_000_000 + Math.floor(order / 500) * 1_000_000,
      producer_id: `till-nyc-${store}-${pick(2)}`,
      producer_seq: order,
      shard: "shardId-000000000000",
      sequence_number: String(49_590_338_271_490_256_608_559_692_538_361_571_095n + BigInt(Math.floor(order / 500))),
      record_index: order % 500,
      payload_hash: BigInt.asIntN(64, (BigInt(pick(2 ** 32)) << 32n) | BigInt(pick(2 ** 32))),
      promotion_code: order % 8 === 0 ? "FRIDAY-2FOR1" : null,
      till_offset_minutes: order % 50 === 0 ? 0 : null,
    };
    const lines = 1 + Math.floor(random() * random() * 7);
    for (let line = 1; line <= lines; line++) {
      const tip_cents = line === 1 && order % 3 === 0 ? 25 * (1 + (order % 40)) : null;
      rows.push({ ...shared, ...pizzaLine(pick, line), tip_cents });
    }
  }
  return rows;
}

function pizzaLine(pick: (count: number) => number, line: number): Row {
  const type = pick(32);
  const size = pick(3);
  const price = 975 + 25 * ((type * 7) % 40) + size * 350;
  const cost = 300 + ((type * 31) % 400) + size * 90;
  const quantity = pick(20) === 0 ? 2 : 1;
  return {
    line_no: line,
    pizza_id: `type_${type}_${"sml"[size]}`,
    pizza_type_id: `type_${type}`,
    pizza_name: `The Number ${type} Pizza`,
    category: categories[type % 4]!,
    size: "SML"[size]!,
    quantity,
    unit_price_cents: price,
    unit_cost_cents: cost,
    revenue_cents: quantity * price,
    cost_cents: quantity * cost,
    margin_cents: quantity * (price - cost),
    is_first_of_order: line === 1,
    is_first_of_pizza: pick(10) > 0,
    is_first_of_type: pick(10) > 1,
    is_first_of_category: pick(10) > 3,
    is_first_of_size: pick(10) > 4,
  };
}

/** Pushes whole rows, column by column. */
export function pushRows(writer: TableWriter, rows: readonly Row[]): void {
  for (const column of writer.columns) {
    const target = columnOf(writer, column);
    for (const row of rows) target.push(row[column.name]);
  }
}

/** Writes rows as a Parquet file, by default with silver's columns. */
export function writeRows(rows: readonly Row[], columns: readonly Column[] = silverColumns): WrittenTable {
  const writer = createTableWriter(columns);
  pushRows(writer, rows);
  return writer.finish();
}

function columnOf(writer: TableWriter, { name, type }: Column): { push(value: unknown): void } {
  if (type === "string") return writer.string(name);
  if (type === "int") return writer.int(name);
  return type === "boolean" ? writer.boolean(name) : writer.long(name);
}
