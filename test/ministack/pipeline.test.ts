import { execFile } from "node:child_process";
import { describe, expect, test } from "vitest";

const script = new URL("../../bin/pizza.ts", import.meta.url).pathname;

/** Runs the command line on the deployed home; what it prints as JSON. */
function pizza(...args: string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const all = [script, "--home", "localstack", ...args, "--json"];
    execFile(process.execPath, all, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`pizza ${args.join(" ")} ended with ${error.code}: ${stderr}`));
      else resolve(JSON.parse(stdout));
    });
  });
}

const minutes = 60_000;

describe.skipIf(process.env["PIZZA_TEST_MINISTACK"] === undefined)("the pipeline on MiniStack", () => {
  test(
    "takes the classic year through Kinesis, Lambda, S3 and Step Functions into gold, and the receipt balances",
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

  test("is found well by the doctor", async () => {
    const checks = (await pizza("doctor")) as { check: string; ok: boolean }[];
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.map(({ check }) => check)).toContain("store");
  });
});
