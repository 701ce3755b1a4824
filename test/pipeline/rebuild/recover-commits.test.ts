import { beforeEach, describe, expect, it } from "vitest";
import { commitKey } from "../../../pipeline/delta/log.ts";
import { order } from "../../support/order-fixture.ts";
import type { GoldPipeline } from "../gold/gold-fixture.ts";
import type { ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";
import { openForEachTest } from "../reconciliation/receipt-hooks.ts";

let gold: GoldPipeline;
let pipeline: ReceiptPipeline;
openForEachTest((opened) => ({ gold, pipeline } = opened));

let sent = 0;

/** Sells once and sends one event that is rejected. */
async function sell(day: string): Promise<void> {
  const till = { producer_id: "till-1", seq: (sent += 1) };
  const sale = order({ order_id: `order-${sent}`, ordered_at: `${day}T12:00:00-05:00`, producer: till });
  const wrong = order({ order_id: `wrong-${sent}`, producer: { ...till, seq: (sent += 1) } });
  await pipeline.land(await pipeline.send([sale, { ...wrong, lines: 7 }]));
  await pipeline.work();
}

const balanced = async () => expect((await pipeline.verify()).findings).toEqual([]);
const salesInGold = async () => await gold.reader.query("select sum(orders) as orders from gold.daily_sales_summary");
const quarantined = async () => (await pipeline.verify()).events.quarantined;

describe("silver that has lost commits that gold was published from", () => {
  beforeEach(async () => {
    sent = 0;
    for (const day of ["2015-01-30", "2015-01-31", "2015-02-01"]) await sell(day);
    await balanced();
    for (const version of [1, 2]) await pipeline.store.delete(commitKey("silver/order_lines", version));
    pipeline.reopenTables();
  });

  it("is not published from, before and after it has made other commits", async () => {
    await expect(pipeline.publishGold()).rejects.toThrow(
      "published from silver version 2, but the lake ends at version 0",
    );
    await pipeline.refine();
    await expect(pipeline.publishGold()).rejects.toThrow(/the lake ends at version 1/);
    expect((await pipeline.verify()).findings).not.toEqual([]);
  });

  it("is completed from bronze by a rebuild, and gold and the quarantine show what follows", async () => {
    await pipeline.rebuild();
    await pipeline.publishGold();
    await balanced();
    expect(await salesInGold()).toEqual([{ orders: "3" }]);
    await sell("2015-01-31");
    await sell("2015-02-02");
    await balanced();
    expect(await salesInGold()).toEqual([{ orders: "5" }]);
    expect(Object.values(await quarantined())).toEqual([5]);
  });
});
