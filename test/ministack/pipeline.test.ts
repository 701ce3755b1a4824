import { execFile } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { LineageEvent } from "../../pipeline/lineage/open-lineage.ts";
import { mistakesOf } from "../pipeline/lineage/validate-event.ts";
import { eventually } from "../localstack/live/emulator.ts";

const script = new URL("../../bin/pizza.ts", import.meta.url).pathname;

/** Runs the command line on the deployed pipeline and parses its JSON output. */
function pizza(...args: string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const all = [script, "--target", "localstack", ...args, "--json"];
    execFile(process.execPath, all, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`./pizza ${args.join(" ")} ended with ${error.code}: ${stderr}`));
      else resolve(JSON.parse(stdout));
    });
  });
}

const minutes = 60_000;

describe.skipIf(process.env["PIZZA_TEST_MINISTACK"] === undefined)("the pipeline on MiniStack", () => {
  test(
    "moves the classic year through Kinesis, Lambda, S3 and Step Functions into gold, and its receipt balances",
    async () => {
      await pizza("replay", "classic", "--wait");
      const [gold] = (await pizza(
        "query",
        "select sum(orders)::int as orders, sum(order_lines)::int as lines, sum(revenue)::text as revenue from gold.daily_sales_summary",
      )) as object[];
      expect(gold).toEqual({ orders: 21_350, lines: 48_620, revenue: "817860.05" });
      expect(await pizza("verify")).toMatchObject({
        balanced: true,
        events: { distinct: 21_350, accepted: 21_350, pending: 0 },
        gold: { orders: 21_350, cents: 81_786_005 },
      });
    },
    10 * minutes,
  );

  test("records its runs as OpenLineage events, from EventBridge", async () => {
    const events = await eventually(async () => {
      const found = (await pizza("lineage")) as LineageEvent[];
      return found.some(({ job, eventType }) => job.name === "silver_to_gold" && eventType === "COMPLETE")
        ? found
        : undefined;
    });
    expect(events.flatMap(mistakesOf)).toEqual([]);
    const written = events.flatMap(({ eventType, outputs }) =>
      eventType === "COMPLETE" ? outputs.filter(({ name }) => name === "silver/order_lines") : [],
    );
    const rows = written.map(({ outputFacets }) => Number(outputFacets?.["outputStatistics"]?.["rowCount"]));
    // A scheduled run may refine some of them, and concurrent runs each count what is committed meanwhile.
    expect(rows.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(48_620);
  });

  test("passes the doctor's checks", async () => {
    const checks = (await pizza("doctor")) as { check: string; ok: boolean }[];
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.map(({ check }) => check)).toContain("store");
  });
});
