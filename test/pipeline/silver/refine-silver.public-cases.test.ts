import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadCatalog } from "../../../adapters/project-files.ts";
import { refineSilver } from "../../../pipeline/silver/refine-silver.ts";
import { openSilverPipeline, record, type SilverPipeline } from "./refine-fixture.ts";

/** Small inputs from bug reports about other pipelines, each with the right value: `test/fixtures/public-cases/`. */
const folder = new URL("../../fixtures/public-cases/", import.meta.url);
const linesOf = (name: string) =>
  readFileSync(new URL(`${name}.jsonl`, folder), "utf8")
    .split("\n")
    .filter(Boolean);
const arrivedAt = Date.parse("2026-11-30T12:00:00Z");

let pipeline: SilverPipeline;
let next = 0;
beforeEach(async () => {
  pipeline = await openSilverPipeline();
  pipeline.now = arrivedAt;
});
afterEach(() => pipeline.close());

/** Takes each list of events as one batch, in a separate run. */
async function take(...batches: string[][]): Promise<void> {
  for (const lines of batches) {
    await pipeline.land(record(next++, lines, { arrivedAt }));
    await refineSilver({ ...pipeline.openRefinery(), catalog: loadCatalog() });
  }
  await pipeline.publish();
}

/** Orders by business date and hour, with their revenue in cents, and the reasons of what was rejected. */
async function outcome() {
  const columns = "order_id, order_date, order_hour, revenue_cents, till_offset_minutes";
  const orders = (await pipeline.rows(columns)).map((row) => Object.values(row).join(" "));
  return { orders: orders.toSorted(), rejected: (await pipeline.quarantined("reason")).map(({ reason }) => reason) };
}

describe("a till that writes UTC (a01)", () => {
  it("has its orders in the store's local hour, and its UTC offset is stored", async () => {
    await take(linesOf("a01-utc-till"));
    expect(await outcome()).toEqual({
      orders: ["a01-1 2026-11-18 20 1325 ", "a01-2 2026-11-18 20 1325 0"],
      rejected: [],
    });
  });
});

describe("a till that reuses an order id on another day (a08)", () => {
  const both = (id: string) => ({
    orders: [`${id} 2026-11-16 12 1325 `, `${id} 2026-11-17 12 3595 `],
    rejected: [],
  });

  it("has both orders in silver if one run consumes them", async () => {
    await take(linesOf("a08-reuse-one-run"));
    expect(await outcome()).toEqual(both("A08"));
  });

  it.each([
    ["in the order of their days", ["a08-reuse-run1", "a08-reuse-run2"]],
    ["in the other order", ["a08-reuse-run2", "a08-reuse-run1"]],
  ])("has both orders in silver if two runs consume them %s", async (_, names) => {
    await take(...names.map(linesOf));
    expect(await outcome()).toEqual(both("A08x"));
  });
});
