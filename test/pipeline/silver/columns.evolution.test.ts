import { afterEach, beforeEach, expect, it } from "vitest";
import { partitionColumn, silverColumns } from "../../../pipeline/silver/columns.ts";
import { compactTable } from "../../../pipeline/delta/compact.ts";
import { judgedByRules } from "../../../pipeline/silver/transactions.ts";
import { openDeltaTable } from "../../../pipeline/delta/table.ts";
import { silverLakeTable } from "../../../pipeline/silver/tables.ts";
import { orderLines, writeRows } from "../delta/order-lines.ts";
import { order } from "../../support/order-fixture.ts";
import { openSilverPipeline, record, type SilverPipeline } from "./refine-fixture.ts";

let pipeline: SilverPipeline;
beforeEach(async () => {
  pipeline = await openSilverPipeline();
});
afterEach(() => pipeline.close());

const one = { line_no: 1, pizza_id: "hawaiian_m", quantity: 1, unit_price: 13.25 };
const two = { line_no: 2, pizza_id: "bbq_ckn_s", quantity: 2, unit_price: 12.75 };
/** Silver as it was before version 2 of the event. */
const firstColumns = silverColumns.slice(
  0,
  silverColumns.findIndex(({ name }) => name === "promotion_code"),
);
const shown = "order_id, line_no, revenue_cents, promotion_code, tip_cents";

function second(order_id: string, changes: Record<string, unknown>) {
  return order({ schema_version: 2, order_id, lines: [one, two], ...changes });
}

/** Queries silver at its newest version, or at the given one. */
async function sums(version?: number) {
  const table = silverLakeTable(await pipeline.openRefinery().silver.snapshot(version));
  const sql = "select count(*) as lines, cast(sum(tip_cents) as bigint) as tips from silver_order_lines";
  return (await pipeline.lake.query(sql, [], [table]))[0];
}

/** Creates the table as a release without the new columns did: two files of one day with twenty orders each. */
async function makeOldTable() {
  const table = openDeltaTable({
    store: pipeline.store,
    clock: () => pipeline.now,
    root: "silver/order_lines",
    name: "order_lines",
    description: "",
    columns: firstColumns,
    partitionColumn,
  });
  for (const seed of [1, 2]) {
    const rows = orderLines({ orders: 20, seed, firstOrder: seed * 100 }).map((row) => ({
      ...row,
      store_id: "nyc-01",
    }));
    const add = await table.writeDataFile({ partition: "2015-01-01", ...writeRows(rows, firstColumns) });
    const { version } = await table.snapshot();
    const nothing = { removes: [], transactions: judgedByRules(), operationMetrics: {} };
    await table.commit({ readVersion: version, operation: "WRITE", adds: [add], ...nothing });
  }
  return table;
}

it("accepts version 2 along with version 1: the code on every line, the tip once per order, revenue unchanged", async () => {
  await pipeline.land(
    record(1, [
      order({ order_id: "a", lines: [one, two] }),
      second("b", { promotion_code: "FRIDAY", tip: 2.05 }),
      second("c", { tip: 0 }),
      JSON.stringify(second("d", { tip: 1 }), null, 1).replaceAll("\n", ""),
      { ...second("e", {}), schema_version: 99 },
    ]),
  );
  await pipeline.refine();
  await pipeline.publish();
  const line = (order_id: string, line_no: number, promotion_code: string | null, tip_cents: number | null) => {
    return { order_id, line_no, revenue_cents: line_no === 1 ? 1325 : 2550, promotion_code, tip_cents };
  };
  expect(await pipeline.rows(shown)).toEqual([
    line("a", 1, null, null),
    line("a", 2, null, null),
    line("b", 1, "FRIDAY", 205),
    line("b", 2, "FRIDAY", null),
    line("c", 1, null, 0),
    line("c", 2, null, null),
    line("d", 1, null, 100),
    line("d", 2, null, null),
  ]);
  expect(await pipeline.quarantined("order_id, reason")).toEqual([
    { order_id: "e", reason: "unsupported_schema_version" },
  ]);
});

it("adds the new columns to an old table in the next commit; no row is lost, and old versions stay readable", async () => {
  await makeOldTable();
  const before = await pipeline.rows("order_id, line_no, revenue_cents");
  expect(await sums()).toEqual({ lines: BigInt(before.length), tips: null });
  await pipeline.land(
    record(1, [
      order({
        order_id: "new",
        ordered_at: "2015-01-01T12:00:00-05:00",
        schema_version: 2,
        tip: 3,
        promotion_code: "X",
      }),
    ]),
  );
  const { version } = await pipeline.refine();
  const log = await pipeline.store.get(`silver/order_lines/_delta_log/${String(version).padStart(20, "0")}.json`);
  expect(Buffer.from(log!).toString()).toContain("tip_cents");
  const rows = await pipeline.rows(shown);
  expect(rows).toHaveLength(before.length + 1);
  expect(
    rows
      .filter((row) => row["order_id"] !== "new")
      .map(({ order_id, line_no, revenue_cents }) => ({ order_id, line_no, revenue_cents })),
  ).toEqual(before);
  expect(rows.filter((row) => row["tip_cents"] !== null || row["promotion_code"] !== null)).toEqual([
    { order_id: "new", line_no: 1, revenue_cents: 1325, promotion_code: "X", tip_cents: 300 },
  ]);
  expect(await sums(version - 1)).toEqual({ lines: BigInt(before.length), tips: null });
});

it("fills new columns with nulls when a revision rewrites an old file and when compaction merges it", async () => {
  const table = await makeOldTable();
  const [known] = orderLines({ orders: 1, seed: 1, firstOrder: 100 });
  const ordered_at = new Date(Number(known!["ordered_at"]) / 1000).toISOString().replace("Z", "-00:00");
  const lines = Number((await sums())!["lines"]);
  const own = orderLines({ orders: 20, seed: 1, firstOrder: 100 }).filter(
    (row) => row["order_id"] === known!["order_id"],
  ).length;
  await pipeline.land(
    record(1, [
      order({
        schema_version: 2,
        order_id: String(known!["order_id"]),
        revision: 1,
        status: "amended",
        ordered_at,
        tip: 1.5,
      }),
    ]),
  );
  expect(await pipeline.refine()).toMatchObject({ accepted: 1, filesRewritten: 1 });
  const held = { lines: BigInt(lines - own + 1), tips: 150n };
  expect(await sums()).toEqual(held);
  await compactTable({ table: pipeline.refinery.silver, store: pipeline.store, minFiles: 2 });
  expect(await pipeline.files()).toHaveLength(1);
  expect(await sums()).toEqual(held);
  await expect(table.snapshot()).rejects.toThrow("promotion_code is only in the table");
});
