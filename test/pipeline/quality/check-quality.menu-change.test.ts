import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { createCatalog, type Pizza } from "../../../pipeline/domain/catalog.ts";
import { openGoldPipeline, type GoldPipeline } from "../gold/gold-fixture.ts";
import { catalog, order } from "../../support/order-fixture.ts";
import { openReceiptPipeline, type ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";

const [hawaiian] = catalog.pizzas.get("hawaiian_m") as [Pizza];
const stores = [...catalog.stores.values()].flat();
const oldMenu = createCatalog([hawaiian], stores);
const newMenu = createCatalog(
  [
    { ...hawaiian, valid_to: "2015-03-01" },
    { ...hawaiian, price_cents: 1450, cost_cents: 450, valid_from: "2015-03-01" },
  ],
  [
    { ...stores[0]!, valid_to: "2015-03-01" },
    { ...stores[0]!, valid_from: "2015-03-01" },
  ],
);

let gold: GoldPipeline;
let pipeline: ReceiptPipeline;
beforeAll(async () => {
  gold = await openGoldPipeline();
});
afterAll(() => gold.close());
beforeEach(async () => {
  pipeline = await openReceiptPipeline(gold, { catalog: oldMenu });
});
afterEach(() => pipeline.close());

function sale(seq: number, day: string, unit_price: number) {
  return order({
    order_id: `order-${seq}`,
    ordered_at: `${day}T12:00:00-05:00`,
    lines: [{ line_no: 1, pizza_id: "hawaiian_m", quantity: 2, unit_price }],
    producer: { producer_id: "till-1", seq },
  });
}

it("each order has the price and the cost of its day, in silver and in gold", async () => {
  pipeline.replaceCatalog(newMenu);
  await pipeline.land(await pipeline.send([sale(1, "2015-02-28", 13.25), sale(2, "2015-03-01", 14.5)]));
  await pipeline.work();
  const days = `select order_date::text, revenue::text, cost::text from gold.daily_sales_summary order by 1`;
  expect(await pipeline.owner.query(days)).toEqual([
    { order_date: "2015-02-28", revenue: "26.50", cost: "8.00" },
    { order_date: "2015-03-01", revenue: "29.00", cost: "9.00" },
  ]);
  expect(await pipeline.verify()).toMatchObject({ findings: [], expected: { cents: 5550 } });
});

it("verify asks to resend an order that an older menu rejected, and balances once it is resent", async () => {
  const early = sale(1, "2015-03-01", 14.5);
  await pipeline.land(await pipeline.send([early]));
  await pipeline.work();
  expect(await pipeline.verify()).toMatchObject({ findings: [], events: { quarantined: { price_off_menu: 1 } } });
  pipeline.replaceCatalog(newMenu);
  expect((await pipeline.verify()).findings).toMatchObject([
    { sentence: "1 events in quarantine as price_off_menu are valid now: resend them" },
  ]);
  await pipeline.land(await pipeline.send([early]));
  await pipeline.work();
  expect(await pipeline.verify()).toMatchObject({
    findings: [],
    events: { accepted: 1, quarantined: { price_off_menu: 1 } },
  });
});
