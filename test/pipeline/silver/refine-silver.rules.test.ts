import { beforeEach, describe, expect, it } from "vitest";
import { prefixes, rulesVersion } from "../../../pipeline/silver/transactions.ts";
import type { GoldPipeline } from "../gold/gold-fixture.ts";
import { event } from "../quality/messy-day.ts";
import type { ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";
import { openForEachTest } from "../reconciliation/receipt-hooks.ts";

let gold: GoldPipeline;
let pipeline: ReceiptPipeline;
openForEachTest((opened) => ({ gold, pipeline } = opened));

/** Commits that other rules judged silver, as another release would leave it. */
async function judgeBy(version: number): Promise<void> {
  const { silver } = pipeline;
  await silver.commit({
    readVersion: (await silver.snapshot()).version,
    operation: "WRITE",
    adds: [],
    removes: [],
    transactions: [{ appId: prefixes.rules, version }],
    operationMetrics: {},
  });
}

const judgedBy = async () => (await pipeline.silver.snapshot()).transactions.get(prefixes.rules)?.version;
const orders = async () =>
  await gold.owner.query("select order_date::text, orders from gold.daily_sales_summary order by 1");

beforeEach(async () => {
  await pipeline.land(await pipeline.send([event(1, "a"), event(2, "b", { ordered_at: "2015-01-02T12:00:00-05:00" })]));
  await pipeline.work();
});

describe("silver written under other rules", () => {
  it("has the rules' version in each commit", async () => {
    expect(await judgedBy()).toBe(rulesVersion);
  });

  it("is neither refined further nor reconciled, and both errors say what to do", async () => {
    await judgeBy(rulesVersion - 1);
    await pipeline.land(await pipeline.send([event(3, "c")]));
    const older = /was judged by version 1 of the rules, and this program has version 2: .\/pizza rebuild/;
    await expect(pipeline.refine()).rejects.toThrow(older);
    await expect(pipeline.verify()).rejects.toThrow(older);
    await judgeBy(rulesVersion + 1);
    await expect(pipeline.refine()).rejects.toThrow(/this program has version 2: use the newer release that made it/);
  });

  it("is converted by a rebuild, even if no value differs, and then refined further", async () => {
    await judgeBy(rulesVersion - 1);
    expect(await pipeline.rebuild()).toMatchObject({ equal: true, published: true });
    expect(await judgedBy()).toBe(rulesVersion);
    await pipeline.land(await pipeline.send([event(3, "c")]));
    await pipeline.work();
    expect(await orders()).toEqual([
      { order_date: "2015-01-01", orders: 2 },
      { order_date: "2015-01-02", orders: 1 },
    ]);
    expect((await pipeline.verify()).findings).toEqual([]);
  });

  it("is not converted for some days only", async () => {
    await judgeBy(rulesVersion - 1);
    await expect(pipeline.rebuild({ from: "2015-01-02" })).rejects.toThrow("rebuild all days, without --from and --to");
    expect(await judgedBy()).toBe(rulesVersion - 1);
  });

  it("is not changed by a dry run", async () => {
    await judgeBy(rulesVersion - 1);
    expect(await pipeline.rebuild({ isDryRun: true })).toMatchObject({ published: false });
    expect(await judgedBy()).toBe(rulesVersion - 1);
  });
});
