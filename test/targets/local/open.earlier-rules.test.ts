import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OrderEvent } from "../../../pipeline/domain/generated/order-event.types.ts";
import { classicEvents } from "../../../bench/classic-year.ts";
import { openLocalPipeline } from "../../../targets/local/open.ts";
import { preparePostgres } from "../../support/prepared-postgres.ts";
import type { Pipeline } from "../../../targets/operations.ts";

/**
 * A data directory that release 0.2.0 filled with the classic year and with orders whose ids come again on another day
 * or whose till writes UTC: 0.2.0 counted one of them twice, and its receipt did not balance. Without its PostgreSQL.
 */
const archive = new URL("../../fixtures/data-directory-0.2.0.tar.zst", import.meta.url).pathname;
const cases = new URL("../../fixtures/public-cases/", import.meta.url).pathname;

let dir: string;
let pipeline: Pipeline;
const log: string[] = [];
/** The orders of the directory that silver has accepted. */
let orders: OrderEvent[];

async function open(): Promise<void> {
  dir = mkdtempSync(join(tmpdir(), "pizza-earlier-rules-"));
  execFileSync("tar", ["-xf", "-", "-C", dir], { input: zstdDecompressSync(readFileSync(archive)) });
  mkdirSync(join(dir, "on-failure"));
  await preparePostgres(join(dir, "postgres"), "migrated");
  const some = ["a01-utc-till", "a08-reuse-run1", "a08-reuse-run2"].flatMap((name) => {
    return readFileSync(join(cases, `${name}.jsonl`), "utf8")
      .split("\n")
      .filter(Boolean);
  });
  orders = [...classicEvents(), ...some.map((line) => JSON.parse(line) as OrderEvent)];
  pipeline = await openLocalPipeline({ dir, onLog: (line) => log.push(line) });
  await pipeline.drain();
}

async function send(events: readonly OrderEvent[]): Promise<void> {
  const records = [];
  for (let start = 0; start < events.length; start += 1000) {
    const lines = events.slice(start, start + 1000).map((event) => JSON.stringify(event));
    records.push({ partitionKey: `key-${start}`, data: zstdCompressSync(lines.join("\n")) });
  }
  await pipeline.putRecords({ records });
  await pipeline.drain();
}

const totals = async () => {
  const { findings, gold, notSales, events } = await pipeline.verify();
  return { findings, orders: gold.orders, cents: gold.cents, pizzas: gold.pizzas, notSales, accepted: events.accepted };
};

/** It takes a minute of computing: make test-upgrade runs it. */
describe.skipIf(process.env["PIZZA_TEST_UPGRADE"] === undefined)(
  "a data directory of release 0.2.0 with a year of orders",
  () => {
    beforeAll(open);
    afterAll(async () => {
      await pipeline?.close();
      rmSync(dir, { recursive: true, force: true });
    });

    it("is rebuilt under the new rules when it is opened, and then balances", async () => {
      expect(log.join("\n")).toContain("the rules have changed since this data directory was filled");
      // The classic year, and the public cases: two orders of one hour in two offsets, two ids on two days each, and
      // the orders that 0.2.0 rejected for their times (2), null (2), a byte order mark (of 2) and two on a line (2).
      const cents = 81_786_005 + 2 * 1325 + 2 * (1325 + 3595) + 2 * 1325 + 2 * 1325 + 2 * 1325 + 1325 + 3595;
      expect(await totals()).toEqual({
        findings: [],
        orders: 21_350 + 14,
        pizzas: 49_574 + 14,
        cents,
        notSales: 0,
        accepted: 21_364,
      });
    });

    it("counts nothing twice when every order is resent, then amended, then refunded", async () => {
      const before = await totals();
      await send(orders);
      expect(await totals()).toEqual(before);
      const next = (order: OrderEvent, revision: number, changes: Partial<OrderEvent>): OrderEvent => ({
        ...order,
        revision,
        ...changes,
        producer: { producer_id: `${order.producer.producer_id}-later`, seq: order.producer.seq },
      });
      const more = (order: OrderEvent) => order.lines.map((line) => ({ ...line, quantity: line.quantity + 1 }));
      await send(
        orders.map((order) => next(order, 1, { status: "amended", lines: more(order) as OrderEvent["lines"] })),
      );
      const lines = orders.reduce((sum, order) => sum + order.lines.length, 0);
      expect(await totals()).toMatchObject({ findings: [], orders: before.orders, pizzas: before.pizzas + lines });
      await send(orders.map((order) => next(order, 2, { status: "refunded" })));
      expect(await totals()).toMatchObject({ findings: [], accepted: before.accepted, notSales: orders.length });
    });
  },
);
