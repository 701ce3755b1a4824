import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { classicYear } from "../../../bin/commands/send.ts";
import type { Pipeline } from "../../../targets/operations.ts";
import { openLocalPipeline } from "../../../targets/local/open.ts";
import { findServer } from "../../../targets/local/postgres-process.ts";
import { sendOrders } from "../../e2e/command-line-fixture.ts";

const orders = [...classicYear()].slice(0, 600);
const [first, second, third] = [orders.slice(0, 200), orders.slice(200, 400), orders.slice(400)] as const;

let root: string;
let lines: string[];
let pipeline: Pipeline;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "pizza-home-"));
  lines = [];
  pipeline = await openLocalPipeline({ dir: join(root, "home"), onLog: (line) => lines.push(line) });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await pipeline.close();
  rmSync(root, { recursive: true, force: true });
});

const ordersInGold = async () => {
  const [row] = await pipeline.query({
    sql: "select coalesce(sum(orders), 0) as orders from gold.daily_sales_summary",
  });
  return Number(row!["orders"]);
};

/** Waits, without a flush, until the pipeline has published that many orders. */
const untilGoldHas = async (count: number) => {
  await expect.poll(ordersInGold, { timeout: 110_000, interval: 100 }).toBe(count);
};

function killPostgres(): void {
  process.kill(findServer(join(root, "home", "postgres", "data"))!.pid, "SIGKILL");
}

it("a local pipeline restarts a killed PostgreSQL, keeps publishing, and answers queries meanwhile", async () => {
  await sendOrders(pipeline.sink, first);
  await untilGoldHas(200);
  killPostgres();
  await sendOrders(pipeline.sink, second);
  await untilGoldHas(400);
  killPostgres();
  expect(await pipeline.query({ sql: "select 1 as one" })).toEqual([{ one: 1 }]);
  expect(await pipeline.credentials()).toMatchObject({ host: "127.0.0.1", database: "pizza_sales" });
  await sendOrders(pipeline.sink, third);
  await pipeline.drain();
  expect(await pipeline.verify()).toMatchObject({ findings: [], gold: { orders: 600 } });
  expect(lines.filter((line) => line.startsWith("PostgreSQL has exited"))).toHaveLength(2);
});

it("a local pipeline continues immediately when the clock is set back by an hour, and when it is set forward again", async () => {
  await sendOrders(pipeline.sink, first);
  await untilGoldHas(200);
  const { now } = Date;
  const clock = vi.spyOn(Date, "now").mockImplementation(() => now() - 3_600_000);
  await sendOrders(pipeline.sink, second);
  await untilGoldHas(400);
  clock.mockImplementation(() => now());
  await sendOrders(pipeline.sink, third);
  await untilGoldHas(600);
  await pipeline.drain();
  expect((await pipeline.verify()).findings).toEqual([]);
});
