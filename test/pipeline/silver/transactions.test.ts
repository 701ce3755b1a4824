import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { reportableUntil, watermarkDate } from "../../../pipeline/silver/transactions.ts";
import { order } from "../../support/order-fixture.ts";
import { openSilverPipeline, record, type SilverPipeline } from "./refine-fixture.ts";

let pipeline: SilverPipeline;
beforeEach(async () => {
  pipeline = await openSilverPipeline();
});
afterEach(() => pipeline.close());

let next = 0;

/** Lands and refines an order placed at `orderedAt` in a shard, a number of seconds after noon. */
async function sell(shard: string, ordered_at: string, seconds = 0, producer_id = "till-1") {
  const event = order({ order_id: `order-${next}`, ordered_at, producer: { producer_id, seq: next } });
  await pipeline.land(record(next++, event, { shard, arrivedAt: Date.parse("2015-03-01T12:00:00Z") + seconds * 1000 }));
  await pipeline.refine();
  return watermarkDate(await pipeline.refinery.silver.snapshot());
}

describe("the watermark date", () => {
  it("is unknown before the first order", async () => {
    expect(watermarkDate(await pipeline.refinery.silver.snapshot())).toBeUndefined();
  });

  it("is the latest date that has begun in every time zone when the latest order was placed", async () => {
    expect(await sell("a", "2015-01-05T23:30:00-05:00")).toBe("2015-01-05");
    expect(await sell("a", "2015-01-06T11:59:59Z")).toBe("2015-01-05");
    expect(await sell("a", "2015-01-06T00:00:00-12:00")).toBe("2015-01-06");
  });

  it("never moves back for a late order", async () => {
    await sell("a", "2015-01-06T12:00:00Z");
    expect(await sell("a", "2015-01-02T12:00:00Z")).toBe("2015-01-06");
  });

  it("is that of the slowest busy shard", async () => {
    await sell("a", "2015-01-06T12:00:00Z");
    expect(await sell("b", "2015-01-04T12:00:00Z", 10)).toBe("2015-01-04");
    expect(await sell("b", "2015-01-07T12:00:00Z", 20)).toBe("2015-01-06");
  });

  it("does not wait for a shard that has been silent for a minute longer than the busiest", async () => {
    await sell("a", "2015-01-02T12:00:00Z");
    expect(await sell("b", "2015-01-05T12:00:00Z", 60)).toBe("2015-01-02");
    expect(await sell("b", "2015-01-06T12:00:00Z", 61)).toBe("2015-01-06");
  });

  it("is stored in the table's log, where another process reads it", async () => {
    await sell("a", "2015-01-06T12:00:00Z");
    expect(watermarkDate(await pipeline.openRefinery().silver.snapshot())).toBe("2015-01-06");
  });
});

describe("the date until which days may be reported", () => {
  const arrival = Date.parse("2015-03-01T12:00:00Z");
  const until = async (now: number) => reportableUntil(await pipeline.refinery.silver.snapshot(), now);

  it("is the watermark date, but never a day that is not over in every time zone", async () => {
    expect(await until(arrival)).toBeUndefined();
    await sell("a", "2015-03-01T12:00:00Z");
    expect(await until(arrival)).toBe("2015-03-01");
    expect(await until(arrival - 1)).toBe("2015-02-28");
  });

  it.each(["replay:till-1", "import:till-1"])("is unknown for a minute after the last event of %s", async (name) => {
    await sell("a", "2015-02-01T12:00:00Z");
    await sell("b", "2015-02-05T12:00:00Z", 20, name);
    expect(await until(arrival + 20_000)).toBeUndefined();
    expect(await until(arrival + 79_999)).toBeUndefined();
    expect(await until(arrival + 80_000)).toBe("2015-02-01");
    // After the clock was set back, nothing is known about the time that has passed.
    expect(await until(arrival)).toBe("2015-02-01");
  });
});
