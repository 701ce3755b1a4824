import { describe, expect, it } from "vitest";
import { encodeFailedBatch } from "../../../pipeline/bronze/on-failure-objects.ts";
import { resentKey } from "../../../pipeline/domain/stream-position.ts";
import { event, sellMessily } from "../quality/messy-day.ts";
import type { ReceiptPipeline } from "./receipt-fixture.ts";
import { openForEachTest } from "./receipt-hooks.ts";

let pipeline: ReceiptPipeline;
openForEachTest((opened) => ({ pipeline } = opened));

/** An event of the till, truncated before or after a text. */
function cut(seq: number, before: string): Buffer {
  const text = JSON.stringify(event(seq, "cut"));
  return Buffer.from(text.slice(0, before === "}}" ? -1 : text.indexOf(before)));
}

const sales = { orders: 6, lines: 7, pizzas: 10, cents: 14_125 };

describe("the receipt of an undamaged pipeline", () => {
  it("balances after messy input, with every record and event counted in its class", async () => {
    await sellMessily(pipeline);
    expect(await pipeline.verify()).toEqual({
      records: { sent: 6, landed: 8, onFailure: 0, waiting: 0, setAside: 0, transportDuplicates: 2, distinct: 6 },
      events: {
        distinct: 15,
        accepted: 7,
        eventDuplicates: 1,
        supersededRevisions: 3,
        quarantined: { not_json: 1, conflicting_payload: 1, unknown_store: 1, bad_utf8: 1 },
        closed: 0,
        pending: 0,
      },
      notSales: 1,
      expected: sales,
      silver: sales,
      gold: sales,
      unpublishedDays: [],
      producers: 1,
      notes: [
        {
          invariant: "no gap in a till's numbers",
          sentence: "1 tills have gaps that unreadable events may explain",
          examples: ["till-1: 4"],
        },
      ],
      findings: [],
    });
  });

  it("balances before anything was sent", async () => {
    expect(await pipeline.verify()).toMatchObject({ findings: [], records: { sent: 0 }, expected: { orders: 0 } });
  });

  it("reports what has not landed, been refined or been published yet, without a finding", async () => {
    await pipeline.land(await pipeline.send([event(1, "a")]));
    await pipeline.work();
    const records = await pipeline.send([event(2, "b")]);
    expect(await pipeline.verify()).toMatchObject({ findings: [], records: { sent: 2, landed: 1, waiting: 1 } });
    await pipeline.land(records);
    expect(await pipeline.verify()).toMatchObject({
      findings: [],
      records: { waiting: 0 },
      events: { accepted: 1, pending: 1 },
    });
    await pipeline.refine();
    expect(await pipeline.verify()).toMatchObject({
      findings: [],
      events: { accepted: 2, pending: 0 },
      silver: { orders: 2 },
      gold: { orders: 1 },
      unpublishedDays: ["2015-01-01"],
    });
    await pipeline.publishGold();
    expect(await pipeline.verify()).toMatchObject({ findings: [], gold: { orders: 2 }, unpublishedDays: [] });
  });

  it("counts a rejected event from silver's commit on, before the quarantine is published", async () => {
    await pipeline.land(await pipeline.send([Buffer.from("garbage")]));
    await pipeline.refine();
    expect(await pipeline.verify()).toMatchObject({ findings: [], events: { quarantined: { not_json: 1 } } });
    await pipeline.publishQuarantine();
    expect(await pipeline.verify()).toMatchObject({ findings: [], events: { quarantined: { not_json: 1 } } });
  });

  it("resolves a quarantined event that was corrected and resent, whether or not its order was readable", async () => {
    const wrong = event(1, "a", { store_id: "mars-01" });
    const [first, second] = await pipeline.send([wrong], Buffer.from("garbage"));
    await pipeline.land([first!, second!]);
    await pipeline.work();
    expect(await pipeline.verify()).toMatchObject({
      findings: [],
      events: { closed: 0, quarantined: { unknown_store: 1 } },
    });
    const place = `${second!.shard}/${second!.sequenceNumber}/0`;
    await pipeline.land(await pipeline.sendUnder(resentKey(place), Buffer.from(JSON.stringify(event(2, "b")))));
    await pipeline.work();
    expect(await pipeline.verify()).toMatchObject({ findings: [], events: { closed: 1, accepted: 1 } });
  });

  it("does not resolve a quarantined event by a resent one that silver rejects too", async () => {
    const [garbage] = await pipeline.send(Buffer.from("garbage"));
    await pipeline.land([garbage!]);
    const place = `${garbage!.shard}/${garbage!.sequenceNumber}/0`;
    await pipeline.land(await pipeline.sendUnder(resentKey(place), Buffer.from("more garbage")));
    await pipeline.work();
    expect(await pipeline.verify()).toMatchObject({
      findings: [],
      events: { closed: 0, quarantined: { not_json: 2 } },
    });
  });

  it("counts a record in the on-failure store", async () => {
    const [record] = await pipeline.send(Buffer.from("garbage"));
    const { key, body } = encodeFailedBatch({
      name: "landing",
      streamArn: "orders",
      functionArn: "landing",
      records: [record!],
      condition: "RetryAttemptsExhausted",
      invokeCount: 3,
      failedAt: 0,
    });
    await pipeline.onFailure.put(key, body);
    pipeline.confirm([record!]);
    expect(await pipeline.verify()).toMatchObject({
      findings: [],
      records: { sent: 1, landed: 0, onFailure: 1, waiting: 0 },
    });
  });

  it("names an unreadable object in the on-failure store, and counts the readable ones", async () => {
    await pipeline.onFailure.put("aws/lambda/half a batch", Buffer.from('{"payload":'));
    await pipeline.land(await pipeline.send([event(1, "a")]));
    await pipeline.work();
    expect(await pipeline.verify()).toMatchObject({
      findings: [{ invariant: "sent = landed", examples: ["aws/lambda/half a batch"] }],
      records: { sent: 1, landed: 1, onFailure: 0 },
    });
  });

  it.each<[what: string, sent: (object[] | Buffer)[], numbers: string]>([
    ["is truncated after its till's name", [[event(1, "a"), event(3, "c")], cut(2, '"seq"')], "2"],
    ["still has its number", [[event(1, "a"), event(4, "c")], cut(2, "}}"), cut(3, "}}")], "2-3"],
    ["is between its till's numbers in one batch", [[event(1, "a"), Buffer.from("damaged"), event(3, "c")]], "2"],
  ])("excuses a missing number of a till by a damaged event that %s", async (_, sent, numbers) => {
    await pipeline.land(await pipeline.send(...sent));
    await pipeline.work();
    expect(await pipeline.verify()).toMatchObject({
      findings: [],
      notes: [
        {
          invariant: "no gap in a till's numbers",
          sentence: "1 tills have gaps that unreadable events may explain",
          examples: [`till-1: ${numbers}`],
        },
      ],
    });
  });

  it("excuses a missing number of the till that a damaged event's partition key names", async () => {
    await pipeline.land(await pipeline.send([event(1, "a"), event(3, "c")]));
    await pipeline.land(await pipeline.sendUnder("till-1", Buffer.from("damaged")));
    await pipeline.work();
    expect(await pipeline.verify()).toMatchObject({ findings: [], notes: [{ examples: ["till-1: 2"] }] });
  });

  it("still balances after a day was republished several times and segments follow later days", async () => {
    for (let n = 1; n <= 5; n++) {
      const customer = { customer_id: `c-${n % 3}` };
      await pipeline.land(
        await pipeline.send([event(n, `order-${n}`, { customer, ordered_at: `2015-01-${28 + (n % 4)}T10:00:00Z` })]),
      );
      await pipeline.work();
      expect((await pipeline.verify()).findings).toEqual([]);
    }
  });
});
