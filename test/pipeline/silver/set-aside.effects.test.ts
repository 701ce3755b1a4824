import { beforeEach, describe, expect, it } from "vitest";
import { bringBackObjects } from "../../../pipeline/silver/set-aside.ts";
import { order } from "../../support/order-fixture.ts";
import type { ReceiptPipeline } from "../reconciliation/receipt-fixture.ts";
import { openForEachTest } from "../reconciliation/receipt-hooks.ts";

const customer = { customer_id: "c-1" };

let pipeline: ReceiptPipeline;
let damaged: string;
let whole: Uint8Array;
openForEachTest((opened) => ({ pipeline } = opened));
beforeEach(async () => {
  const day = { ordered_at: "2015-03-04T12:00:00-05:00", emitted_at: "2015-03-04T12:00:01-05:00", customer };
  const numbered = (order_id: string, seq: number) =>
    order({ ...day, order_id, producer: { producer_id: "till-1", seq } });
  const [first, second] = await pipeline.send([numbered("a", 1)], [numbered("b", 2)]);
  await pipeline.land([first!]);
  damaged = await pipeline.land([second!]);
  whole = (await pipeline.store.get(damaged))!;
  await pipeline.store.put(damaged, whole.subarray(0, 100));
  await pipeline.refine();
  await pipeline.publishGold();
});

describe("while a bronze object is set aside", () => {
  it("the receipt names it and does not balance until it is repaired and retried", async () => {
    const { findings, records, silver } = await pipeline.verify();
    expect(findings).toEqual([
      {
        invariant: "every event has one place",
        sentence: "1 bronze objects are set aside, and their events are not in silver: see ./pizza retry",
        examples: [expect.stringMatching(`^${damaged}: 1 records; it is damaged: `)],
      },
    ]);
    expect(records).toMatchObject({ sent: 2, landed: 1, setAside: 1 });
    expect(silver.orders).toBe(1);

    await pipeline.store.put(damaged, whole);
    await bringBackObjects(pipeline.silver);
    await pipeline.refine();
    await pipeline.publishGold();
    expect(await pipeline.verify()).toMatchObject({ findings: [], records: { setAside: 0 }, gold: { orders: 2 } });
  });

  it("the receipt does not read it, because reading it may crash the process", async () => {
    const read: string[] = [];
    const get = async (key: string) => {
      read.push(key);
      return await pipeline.store.get(key);
    };
    await pipeline.verify({ store: { ...pipeline.store, get } });
    expect(read.filter((key) => key.startsWith("bronze/"))).toHaveLength(1);
  });

  it("a trace does not report an order as missing if it may be in that object", async () => {
    expect(await pipeline.trace("a")).toMatchObject({ silver: { revision: 0 } });
    await expect(pipeline.traces("b")).rejects.toThrow(
      `order b was not found, but bronze objects that are set aside or damaged were not searched: ${damaged}`,
    );
  });

  it("forgetting a customer names what was not searched", async () => {
    expect(await pipeline.forget("c-1")).toMatchObject({ events: 1, unreadObjects: [damaged] });
  });

  it("a rebuild skips it, and it stays set aside", async () => {
    await pipeline.rebuild({ from: "2015-03-04", to: "2015-03-04", source: "bronze", isDryRun: false });
    expect((await pipeline.verify()).findings).toHaveLength(1);
  });
});

describe("a bronze object that was damaged after silver consumed it", () => {
  it("makes a rebuild fail with its name, instead of being set aside", async () => {
    await pipeline.store.put(damaged, whole);
    await bringBackObjects(pipeline.silver);
    await pipeline.refine();
    await pipeline.store.put(damaged, whole.subarray(0, 100));
    await expect(
      pipeline.rebuild({ from: "2015-03-04", to: "2015-03-04", source: "bronze", isDryRun: false }),
    ).rejects.toThrow(`bronze object ${damaged} cannot be read: it is damaged: `);
  });
});
