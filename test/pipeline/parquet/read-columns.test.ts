import { describe, expect, test } from "vitest";
import { silverColumns } from "../../../pipeline/silver/columns.ts";
import { copyRows, readColumns } from "../../../pipeline/parquet/read-columns.ts";
import { createTableWriter } from "../../../pipeline/parquet/table-writer.ts";
import { orderLines, writeRows } from "../delta/order-lines.ts";

const names = silverColumns.map(({ name }) => name);

describe("reading columns", () => {
  test("returns only the requested columns, and nulls for one that is newer than the file", async () => {
    const rows = orderLines({ orders: 3 });
    const columns = await readColumns(writeRows(rows).body, ["order_id", "payload_hash", "ordered_at", "topping"]);
    expect(columns).toEqual({
      order_id: rows.map((row) => row["order_id"]),
      payload_hash: rows.map((row) => row["payload_hash"]),
      ordered_at: rows.map((row) => row["ordered_at"]),
      topping: rows.map(() => null),
    });
  });

  test("works on a part of a larger buffer", async () => {
    const { body } = writeRows(orderLines({ orders: 3 }));
    const larger = Buffer.concat([Buffer.from("abc"), body, Buffer.from("def")]);
    expect(await readColumns(larger.subarray(3, 3 + body.length), names)).toEqual(await readColumns(body, names));
  });

  test("of an empty file returns empty columns", async () => {
    expect(await readColumns(writeRows([]).body, ["order_id", "quantity"])).toEqual({ order_id: [], quantity: [] });
  });
});

test("a rewritten file has exactly the rows that were kept", async () => {
  const rows = orderLines({ orders: 200 });
  const columns = await readColumns(writeRows(rows).body, names);
  const writer = createTableWriter(silverColumns);
  copyRows(writer, columns, (row) => row % 3 !== 0);
  const kept = rows.filter((_, row) => row % 3 !== 0);
  expect(Buffer.from(writer.finish().body)).toEqual(Buffer.from(writeRows(kept).body));
});
