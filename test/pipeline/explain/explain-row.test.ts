import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explanationText } from "../../../bin/commands/explain.ts";
import { loadCatalog } from "../../../adapters/project-files.ts";
import type { OrderEvent } from "../../../pipeline/domain/generated/order-event.types.ts";
import { explainRow, type Explanation } from "../../../pipeline/explain/explain-row.ts";
import { explainedTables } from "../../../pipeline/explain/gold-tables.ts";
import type { LineTerm } from "../../../pipeline/explain/terms.ts";
import { simulateOrders } from "../../../producer/simulator.ts";
import { openGoldPipeline, type GoldPipeline } from "../gold/gold-fixture.ts";
import { goldKeys, starKeys } from "../gold/gold-tables.ts";
import { menu, patterns, stores } from "../../producer/project-data.ts";
import { openReceiptPipeline, type ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";

/** Orders of two stores over ten weeks; a few are cancelled or amended later. */
function someOrders(): OrderEvent[] {
  const startAt = Date.parse("2014-12-20T00:00:00Z");
  const all = simulateOrders({ seed: 3, menu, stores: stores.slice(0, 2), patterns, startAt, orders: 11_000 });
  const kept = [...all].filter((_, index) => index % 40 === 0);
  const later = kept.filter((_, index) => index % 25 === 0);
  const revised = later.map((order, index): OrderEvent => {
    return { ...order, revision: 1, status: index % 2 === 0 ? "cancelled" : "amended" };
  });
  return [...kept, ...revised];
}

const keysByTable = { ...goldKeys, ...starKeys };
type Table = keyof typeof keysByTable;

const orders = someOrders();
let gold: GoldPipeline;
let pipeline: ReceiptPipeline;
beforeAll(async () => {
  gold = await openGoldPipeline();
  pipeline = await openReceiptPipeline(gold, { catalog: loadCatalog() });
  await pipeline.land(await pipeline.send(orders));
  await pipeline.work();
});
afterAll(async () => {
  await pipeline.close();
  await gold.close();
});

const explain = (table: string, key: readonly string[], column?: string, lines = 100_000) =>
  explainRow(pipeline.parts, { table, key, column, lines });

/** Returns up to that many keys of a table, spread evenly. */
async function keysOf(table: Table, most: number): Promise<string[][]> {
  const key = keysByTable[table];
  const rows = await gold.reader.query<Record<string, string>>(
    `select ${key.map((name) => `${name}::text as ${name}`).join(", ")} from gold.${table} order by ${key.join(", ")}`,
  );
  const step = Math.max(1, Math.floor(rows.length / most));
  return rows.filter((_, index) => index % step === 0).map((row) => key.map((name) => row[name]!));
}

/** Adds up the listed lines' shares in a term. */
function listedSum({ lines }: Explanation, term: string): number {
  return lines.reduce((sum, { shares }) => sum + Math.round(Number(shares[term]) * 100), 0) / 100;
}

/** Reads the list of a printed explanation: each line's share in a term, and the total. */
function printedTerm(text: string, term: string): { shares: string[]; sum: string } {
  const rows = text.split("\n");
  const ruler = rows.findLastIndex((row) => /^-[- ]+$/.test(row));
  const [names, dashes, ...cells] = rows.slice(ruler - 1);
  const columns = [...dashes!.matchAll(/-+/g)].map(({ index, 0: { length } }) => [index, index + length] as const);
  const [from, to] = columns.find((range) => names!.slice(...range).trim() === term)!;
  const values = cells.map((row) => row.slice(from, to).trim());
  expect(cells.at(-1)).toMatch(/^sum /);
  return { shares: values.slice(0, -1), sum: values.at(-1)! };
}

/** Adds up printed shares, in the format of their column. */
function aggregated(shares: readonly string[], aggregate: "sum" | "min" | "max"): string {
  if (aggregate === "min") return shares.toSorted()[0]!;
  if (aggregate === "max") return shares.toSorted().at(-1)!;
  const isMoney = shares.some((share) => share.includes("."));
  const sum = shares.reduce((total, share) => total + Math.round(Number(share) * 100), 0) / 100;
  return isMoney ? sum.toFixed(2) : String(sum);
}

describe("every gold table", () => {
  it("is explained, with its key and all its columns", async () => {
    expect(
      Object.fromEntries(
        Object.entries(explainedTables).map(([name, { key }]) => [name, key.map((part) => part.name)]),
      ),
    ).toEqual(keysByTable);
    for (const [table, { key, cells }] of Object.entries(explainedTables)) {
      const columns = await gold.reader.query<{ name: string }>(
        `select column_name as name from information_schema.columns
         where table_schema = 'gold' and table_name = $1 and column_name not in ('silver_version', 'published_at')`,
        [table],
      );
      const explained = [...key.map(({ name }) => name), ...Object.keys(cells)];
      expect(explained.toSorted(), table).toEqual(columns.map(({ name }) => name).toSorted());
    }
  });

  it.each(Object.keys(keysByTable) as Table[])("%s: the order lines make every cell of a row", async (table) => {
    const keys = await keysOf(table, 6);
    expect(keys.length).toBeGreaterThan(1);
    for (const key of keys) {
      const { cells, lines, lineCount } = await explain(table, key);
      expect(
        cells.filter(({ equal }) => !equal),
        `${table} ${key.join(" ")}`,
      ).toEqual([]);
      expect(lines).toHaveLength(lineCount);
    }
  });

  it.each(Object.keys(keysByTable) as Table[])("%s: what is listed under a sum adds up to it", async (table) => {
    const [key] = await keysOf(table, 1);
    for (const column of Object.keys(explainedTables[table]!.cells)) {
      const found = await explain(table, key!, column);
      const [cell] = found.cells;
      if (!cell!.formula.startsWith("sum of")) continue;
      expect(listedSum(found, found.listed[0]!), `${table} ${column}`).toBe(Number(cell!.gold));
    }
  });
});

describe("the printed explanation", () => {
  it.each(Object.keys(keysByTable) as Table[])(
    "%s: the shares of every term add up to the sum below them",
    async (table) => {
      const { cells } = explainedTables[table]!;
      const terms = Object.values(cells).flatMap((cell) => cell.terms);
      const keys = await keysOf(table, 3);
      for (const key of keys.slice(1)) {
        for (const column of [undefined, ...Object.keys(cells)]) {
          const found = await explain(table, key, column);
          const text = explanationText(found);
          for (const name of found.listed) {
            const term = terms.find((one): one is LineTerm => one.kind === "lines" && one.name === name)!;
            const { shares, sum } = printedTerm(text, name);
            expect(shares).toHaveLength(found.lineCount);
            expect(aggregated(shares, term.aggregate), `${table} ${key.join(" ")} ${column}: ${name}`).toBe(sum);
          }
        }
      }
    },
  );

  it("adds up while the customers of a month are not published yet", async () => {
    const month = ["2014-12-01"];
    const [first] = orders;
    await pipeline.land(
      await pipeline.send([{ ...first!, order_id: "of-a-newcomer", customer: { customer_id: "c-newcomer" } }]),
    );
    await pipeline.work();
    const day = first!.ordered_at.slice(0, 10);
    await gold.owner.query("update ops.windows set customers_version = 0 where order_date = $1", [day]);
    const row = await explain("monthly_sales_summary", month);
    const { shares, sum } = printedTerm(explanationText(row), "order_lines");
    expect(aggregated(shares, "sum")).toBe(sum);
    expect(row.listed).not.toContain("customers");
    const alone = await explain("monthly_sales_summary", month, "customers");
    expect(alone.lineCount).toBe(row.lineCount - first!.lines.length);
    expect(listedSum(alone, "customers")).toBe(Number(alone.cells[0]!.explained));
    await gold.owner.query("update ops.windows set customers_version = silver_version where order_date = $1", [day]);
  });

  it("uses the same name for a term everywhere", () => {
    for (const [table, { cells }] of Object.entries(explainedTables)) {
      const terms = Object.values(cells).flatMap((cell) => cell.terms);
      for (const [name, same] of Map.groupBy(terms, (term) => term.name)) {
        expect(new Set(same.map((term) => JSON.stringify(term))).size, `${table}: ${name}`).toBe(1);
      }
    }
  });
});

describe("an explanation", () => {
  it("lists the lines with their order and stream position", async () => {
    const [, sale] = orders;
    const day = sale!.ordered_at.slice(0, 10);
    const { lines } = await explain("daily_sales_summary", [day], "revenue");
    const mine = lines.filter(({ order_id }) => order_id === sale!.order_id);
    const records = await pipeline.streamContents().records()[Symbol.asyncIterator]().next();
    expect(mine).toHaveLength(sale!.lines.length);
    expect(mine[0]).toMatchObject({
      line_no: 1,
      store_id: sale!.store_id,
      order_date: day,
      pizza_id: sale!.lines[0].pizza_id,
      shares: { revenue: (sale!.lines[0].unit_price * sale!.lines[0].quantity).toFixed(2) },
      sequence_number: (records.value as { sequenceNumber: string }).sequenceNumber,
    });
    expect(lines.map(({ shares }) => Object.keys(shares))).toEqual(lines.map(() => ["revenue"]));
  });

  it("lists no more lines than requested, and their total number", async () => {
    const found = await explain("monthly_sales_summary", ["2015-01-01"], "orders", 5);
    expect(found.lines).toHaveLength(5);
    expect(found.lineCount).toBeGreaterThan(100);
    expect(found.cells).toMatchObject([{ equal: true, terms: [{ name: "orders", orderLines: found.lineCount }] }]);
  });

  it("covers as many days as the column does", async () => {
    const keys = await keysOf("revenue_analytics", 100_000);
    const key = keys.find(
      ([day, store, channel]) => day! > "2015-01-15" && store === "nyc-01" && channel === "dine_in",
    )!;
    const { cells, lines } = await explain("revenue_analytics", key, "revenue_month_to_date");
    expect(cells[0]!.terms[0]!.days).toMatch(new RegExp(`^2015-01-0\\d to ${key[0]}$`));
    expect(new Set(lines.map(({ order_date }) => order_date)).size).toBeGreaterThan(1);
  });

  it("fails for a missing row, and shows how to list the existing ones", async () => {
    await expect(explain("hourly_trends", ["2015-01-05", "4"])).rejects.toThrow(
      'gold.hourly_trends has no row for order_date 2015-01-05, hour 4: ./pizza query "select * from gold.hourly_trends"',
    );
  });

  it("reports a cell that differs from the order lines", async () => {
    const day = "2015-01-10";
    await gold.owner.query("update gold.daily_sales_summary set revenue = revenue + 1 where order_date = $1", [day]);
    const { cells } = await explain("daily_sales_summary", [day]);
    expect(cells.filter(({ equal }) => !equal).map(({ column }) => column)).toEqual(["revenue"]);
    expect(cells.find(({ column }) => column === "revenue")!.explained).not.toBeNull();
    await gold.owner.query("update gold.daily_sales_summary set revenue = revenue - 1 where order_date = $1", [day]);
  });

  it("reads silver at the version that gold shows, not the newest one", async () => {
    const [first] = orders;
    const day = first!.ordered_at.slice(0, 10);
    const before = await explain("daily_sales_summary", [day]);
    await pipeline.land(await pipeline.send([{ ...first!, order_id: "unpublished" }]));
    await pipeline.refine();
    expect(await explain("daily_sales_summary", [day])).toEqual(before);
    await pipeline.publishGold();
    const after = await explain("daily_sales_summary", [day]);
    expect(after.cells.every(({ equal }) => equal)).toBe(true);
    expect(after.lineCount).toBeGreaterThan(before.lineCount);
  });
});
