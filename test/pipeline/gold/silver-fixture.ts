import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { loadCatalog } from "../../../adapters/project-files.ts";
import type { Pizza, Store } from "../../../pipeline/domain/catalog.ts";
import { silverColumns } from "../../../pipeline/silver/columns.ts";
import type { LakeTable } from "../../../pipeline/ports.ts";

/** An order as the tests write it: `at` is store-local time, lines are pizza and quantity. */
export interface FixtureOrder {
  id: string;
  at: string;
  lines: (readonly [pizzaId: string, quantity: number])[];
  status?: "placed" | "amended" | "cancelled" | "refunded";
  store?: string;
  channel?: string;
  customer?: string | null;
  producer?: string;
}

const { pizzas, stores } = loadCatalog();
let written = 0;
const partition = { name: "order_date", type: "date" } as const;
const duckTypes = { string: "varchar", int: "integer", long: "bigint", boolean: "boolean", timestamp: "timestamptz" };

/** Writes orders as Parquet with silver's columns, partitioned by date, and returns a table for some of its days. */
export async function writeSilver(
  root: string,
  version: number,
  orders: readonly FixtureOrder[],
): Promise<(windows?: readonly string[]) => LakeTable> {
  const folder = `silver-${++written}`;
  const source = join(root, `${folder}.ndjson`);
  writeFileSync(
    source,
    orders
      .flatMap(linesOf)
      .map((row) => JSON.stringify(row))
      .join("\n"),
  );
  const columns = silverColumns.map(({ name, type }) => `${name}: '${duckTypes[type]}'`);
  const reader = `read_json('${source}', format = 'newline_delimited', columns = {${columns.join(", ")}, order_date: 'date'})`;
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  const target = `'${join(root, folder)}' (format parquet, compression zstd, partition_by (order_date))`;
  if (orders.length > 0) await connection.run(`copy (select * from ${reader}) to ${target}`);
  const found = await connection.runAndReadAll("select file from glob($1) order by file", [
    join(root, folder, "**", "*.parquet"),
  ]);
  const files = found.getRows().map(([file]) => String(file).slice(root.length + 1));
  connection.closeSync();
  instance.closeSync();
  return (windows) => ({
    name: "silver_order_lines",
    version,
    files: files.filter((file) => !windows || windows.some((date) => file.includes(`order_date=${date}`))),
    columns: [...silverColumns.map(({ name, type }) => ({ name, type })), partition],
    partitionColumn: "order_date",
  });
}

function linesOf(order: FixtureOrder, index: number) {
  const [store] = stores.get(order.store ?? "nyc-01") as [Store];
  const seen = new Set<string>();
  const isFirst = (mark: string) => !seen.has(mark) && Boolean(seen.add(mark));
  return order.lines.map(([pizzaId, quantity], line) => {
    const [pizza] = pizzas.get(pizzaId) as [Pizza];
    return {
      order_id: order.id,
      line_no: line + 1,
      revision: 0,
      status: order.status ?? "placed",
      ordered_at: `${order.at}Z`,
      order_date: order.at.slice(0, 10),
      order_hour: Number(order.at.slice(11, 13)),
      daypart: "lunch",
      store_id: store.store_id,
      city: store.city,
      state: store.state,
      channel: order.channel ?? "dine_in",
      customer_key: order.customer ?? null,
      pizza_id: pizzaId,
      pizza_type_id: pizza.pizza_type_id,
      pizza_name: pizza.name,
      category: pizza.category,
      size: pizza.size,
      quantity,
      unit_price_cents: pizza.price_cents,
      unit_cost_cents: pizza.cost_cents,
      revenue_cents: quantity * pizza.price_cents,
      cost_cents: quantity * pizza.cost_cents,
      margin_cents: quantity * (pizza.price_cents - pizza.cost_cents),
      is_first_of_order: isFirst("order"),
      is_first_of_pizza: isFirst(`./pizza ${pizzaId}`),
      is_first_of_type: isFirst(`type ${pizza.pizza_type_id}`),
      is_first_of_category: isFirst(`category ${pizza.category}`),
      is_first_of_size: isFirst(`size ${pizza.size}`),
      emitted_at: `${order.at}Z`,
      arrived_at: `${order.at}Z`,
      producer_id: order.producer ?? "till-1",
      producer_seq: index + 1,
      shard: "shardId-000000000000",
      sequence_number: String(index),
      record_index: 0,
      payload_hash: index,
    };
  });
}
