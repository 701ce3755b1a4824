import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { qualityRules } from "../../../pipeline/domain/quality-rules.ts";
import { openGoldPipeline, type GoldPipeline } from "../gold/gold-fixture.ts";
import { lastWednesday, openQualityPipeline, type QualityPipeline } from "./quality-fixture.ts";

let gold: GoldPipeline;
let pipeline: QualityPipeline;
beforeAll(async () => {
  gold = await openGoldPipeline();
});
afterAll(() => gold.close());
beforeEach(async () => {
  pipeline = await openQualityPipeline(gold);
});
afterEach(() => pipeline.close());

/** Returns what the step found: the names of the red rules, and whether an alert was sent. */
async function check() {
  const { results, errors } = await pipeline.evaluateRules();
  return { red: results.filter(({ isRed }) => isRed).map(({ name }) => name), errors, told: pipeline.messages.length };
}

const quiet = { red: [], errors: 0, told: 0 };

describe("a quiet day raises no alert", () => {
  it("in a new pipeline without orders", async () => {
    expect(await check()).toEqual(quiet);
  });

  it("in a pipeline with one hour of sales", async () => {
    await pipeline.sell(pipeline.ordersOf("2015-03-06", 3, { emitted_at: new Date(pipeline.time.now).toISOString() }));
    await pipeline.work();
    expect(await check()).toEqual(quiet);
  });

  it("when one of two stores is closed", async () => {
    await pipeline.sellWednesdays(() => 30);
    await pipeline.sellWednesdays((day) => (day === lastWednesday ? 0 : 30), "chi-01");
    const sold = await gold.reader.query("select orders from gold.daily_sales_summary order by order_date");
    expect(sold.map(({ orders }) => orders)).toEqual([60, 60, 60, 60, 30, 1]);
    expect(await check()).toEqual(quiet);
  });

  it("when all stores are closed", async () => {
    await pipeline.sellWednesdays((day) => (day === lastWednesday ? 0 : 60));
    expect(await check()).toEqual(quiet);
  });

  it("on a holiday with half of the orders", async () => {
    await pipeline.sellWednesdays((day) => (day === lastWednesday ? 30 : 60));
    expect(await check()).toEqual(quiet);
  });

  it("on a holiday with very few, which raises a warning without an alert", async () => {
    await pipeline.sellWednesdays((day) => (day === lastWednesday ? 4 : 60));
    expect(await check()).toEqual({ red: ["weekday_volume"], errors: 0, told: 0 });
  });
});

describe("a run", () => {
  it("stores the result of each rule, and a second run stores its own", async () => {
    await pipeline.sellWednesdays(() => 20);
    await pipeline.evaluateRules();
    pipeline.time.now += 1000;
    await pipeline.evaluateRules();
    const rows = await gold.reader.query(
      `select rule, count(*)::int as runs, bool_or(is_red) as was_red, min(order_lines)::int as lines
       from ops.data_quality_results group by rule order by rule`,
    );
    const names = qualityRules.map(({ name }) => name).toSorted();
    expect(rows).toEqual(names.map((rule) => ({ rule, runs: 2, was_red: false, lines: 202 })));
  });

  it("sends an alert about an error, with offenders and what to do", async () => {
    await pipeline.sellWednesdays(() => 20);
    await pipeline.changeDay(lastWednesday, (rows) =>
      rows.map((cells, row) => (row === 0 ? { ...cells, pizza_name: "" } : cells)),
    );
    expect(await check()).toEqual({ red: ["required_values"], errors: 1, told: 1 });
    const [message] = pipeline.messages;
    expect(message!.subject).toBe("Pizza sales: quality rules are red: required_values");
    expect(message!.text).toContain("required_values: 1 order lines lack a value that every line has");
    expect(message!.text).toMatch(new RegExp(`  ${lastWednesday}/\\d+ line 1: no pizza_name\nWhat to do: `));
    const [row] = await gold.reader.query("select offenders::int, examples from ops.data_quality_results where is_red");
    expect(row).toEqual({ offenders: 1, examples: [expect.stringMatching(/line 1: no pizza_name$/)] });
  });

  it("sends no second alert about what the receipt has found", async () => {
    await pipeline.sellWednesdays(() => 20);
    pipeline.ordersOf(lastWednesday, 2);
    await pipeline.sell(pipeline.ordersOf(lastWednesday, 1, {}, 30));
    await pipeline.work();
    expect(await check()).toEqual({ red: ["producer_gaps"], errors: 1, told: 0 });
  });

  it("without a receipt checks the other rules, and those that need one are red", async () => {
    await pipeline.sellWednesdays(() => 20);
    await pipeline.changeDay(lastWednesday, (rows) =>
      rows.map((cells, row) => (row === 0 ? { ...cells, pizza_name: "" } : cells)),
    );
    const { results } = await pipeline.evaluateRules({ Error: "Sandbox.Timedout", Cause: "out of time" });
    const red = results.filter(({ isRed }) => isRed);
    const about = (name: string) => red.find((result) => result.name === name)?.examples;
    const needing = ["gold_is_silver", "gold_adds_up", "gold_follows_silver", "producer_gaps", "first_events"];
    expect(red.map(({ name }) => name).toSorted()).toEqual(["required_values", ...needing].toSorted());
    for (const name of needing) {
      expect(about(name)).toEqual(["the receipt could not be computed: Sandbox.Timedout: out of time"]);
    }
  });

  it("reveals no customer data", async () => {
    await pipeline.sellWednesdays(() => 20);
    await pipeline.changeDay(lastWednesday, (rows) => rows.map((cells) => ({ ...cells, quantity: 0 })));
    const { results } = await pipeline.evaluateRules();
    expect(pipeline.messages).toHaveLength(1);
    expect(JSON.stringify([results, pipeline.messages])).not.toMatch(/Ada|example\.com|c-000117/);
  });
});
